// Package pricebook holds the built-in price book: public list prices that
// travel in every policy, where agents price with them.
package pricebook

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"io"

	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Version names the built-in book: list prices as public in July 2026.
const Version = "builtin-2026-07"

//go:embed model-prices-2026-07.csv
var builtin []byte

// Builtin returns the book of this build.
func Builtin() (*policyv1.PriceBook, error) {
	return parse(Version, bytes.NewReader(builtin))
}

// parse reads dollars per million tokens, one model a line; an empty cell is an
// unknown price.
func parse(version string, r io.Reader) (*policyv1.PriceBook, error) {
	lines, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("price book %s: %w", version, err)
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("price book %s: empty", version)
	}
	book := &policyv1.PriceBook{Version: version}
	for i, cells := range lines[1:] {
		line := row{header: lines[0], cells: cells}
		book.Entries = append(book.Entries, line.entry())
		if line.err != nil {
			return nil, fmt.Errorf("price book %s, line %d: %w", version, i+2, line.err)
		}
	}
	return book, nil
}

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

// Version names the built-in book: list prices as public in July 2026. The same name is
// always the same prices; .2 has those of service tiers and places, and aliases.
const Version = "builtin-2026-07.2"

//go:embed model-prices-2026-07.csv
var builtin []byte

// factors are of providers that publish factors in place of prices: Anthropic's fast mode
// and its inference in the US alone.
// Source: https://platform.claude.com/docs/en/about-claude/pricing
//
//go:embed factors-2026-07.csv
var factors []byte

// aliases are other names that providers document for a snapshot.
// Sources: https://platform.claude.com/docs/en/about-claude/models/overview,
// https://platform.openai.com/docs/models
//
//go:embed aliases-2026-07.csv
var aliases []byte

// Builtin returns the book of this build.
func Builtin() (*policyv1.PriceBook, error) {
	return parse(Version, bytes.NewReader(builtin), bytes.NewReader(factors), bytes.NewReader(aliases))
}

// parse reads dollars per million tokens, one model a line; an empty cell is an
// unknown price. Then factors and aliases of those models.
func parse(version string, prices, factors, aliases io.Reader) (*policyv1.PriceBook, error) {
	book := &policyv1.PriceBook{Version: version}
	entries := map[[2]string]*policyv1.PriceEntry{}
	err := each(prices, func(line *row) {
		entry := line.entry()
		book.Entries = append(book.Entries, entry)
		entries[[2]string{entry.PriceList, entry.Model}] = entry
	})
	for _, more := range []struct {
		what string
		from io.Reader
		add  func(*row, *policyv1.PriceEntry)
	}{{"factors", factors, (*row).factor}, {"aliases", aliases, (*row).alias}} {
		if err != nil {
			break
		}
		err = each(more.from, func(line *row) {
			entry := entries[[2]string{line.text("provider"), line.text("model")}]
			if entry == nil {
				line.fail("the book has no %s/%s", line.text("provider"), line.text("model"))
				return
			}
			more.add(line, entry)
		})
		if err != nil {
			err = fmt.Errorf("%s: %w", more.what, err)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("price book %s: %w", version, err)
	}
	return book, nil
}

// each reads a table with a header.
func each(r io.Reader, read func(*row)) error {
	lines, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return fmt.Errorf("read a table: %w", err)
	}
	if len(lines) == 0 {
		return errEmpty
	}
	for i, cells := range lines[1:] {
		line := row{header: lines[0], cells: cells}
		if read(&line); line.err != nil {
			return fmt.Errorf("line %d: %w", i+2, line.err)
		}
	}
	return nil
}

// Named returns a built-in book by its name; false: this build has none of the name. A
// build with another Version keeps the books before it, so that usage which they priced can
// be priced anew.
func Named(version string) (book *policyv1.PriceBook, ok bool, err error) {
	if version != Version {
		return nil, false, nil
	}
	book, err = Builtin()
	return book, err == nil, err
}

package ledger

import (
	"fmt"
	"strconv"
	"strings"
)

// bootCounter is which start of its agent a boot is: the 8 hex digits that its name
// begins with.
func bootCounter(name string) (uint32, error) {
	digits, rest, found := strings.Cut(name, "-")
	if !found || len(digits) != 8 || rest == "" || !storable(rest) {
		return 0, fmt.Errorf("%q is no boot", name)
	}
	counter, err := strconv.ParseUint(digits, 16, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is no boot", name)
	}
	return uint32(counter), nil
}

// newer tells whether a boot came after another. Of two with one counter the first that
// was heard stays: an agent's state folder is locked, so the other one is of a copy.
func newer(boot, than string) bool {
	a, err := bootCounter(boot)
	if err != nil {
		return false
	}
	b, err := bootCounter(than)
	return err != nil || a > b
}

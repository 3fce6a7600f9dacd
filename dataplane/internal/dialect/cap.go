package dialect

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
)

// Cap is what the agent binds the output of an attempt to.
type Cap struct {
	// Tokens of one choice at most, all that it thinks included; 0: as the caller said.
	Tokens int64
	// Compatible: the upstream is not of the dialect's own maker, and the field that all such
	// servers know may be another.
	Compatible bool
}

// Caps is where a request's body caps its output, or can.
type Caps struct {
	// Own is the field that the dialect has for it, Older another that it had before and
	// that compatible servers all know. Empty: there is none.
	Own, Older Slot
	// Least is the lowest cap that an upstream takes with this request, in tokens; 0: 1.
	// Below it there is no answer: what the caller asks for (a budget to think) is not cut.
	Least int64
}

// Slot is a place in a body for a whole number.
type Slot struct {
	// From and To are where the value stands. Where they are equal none does, and it is put
	// there, between Before and After.
	From, To      int
	Before, After string
	// Said: what stands there is not null.
	Said bool
}

// NewSlot is of a field's value, which stands at a place of the body. Without a value the
// field is put where its object's first begins, ahead of it; name has quotes and colon.
func NewSlot(value []byte, at, first int, name string) Slot {
	if len(value) == 0 {
		return Slot{From: first, To: first, Before: name, After: ","}
	}
	return Slot{From: at, To: at + len(value), Said: string(value) != "null"}
}

// write tells which of the slots are written. All that say something are: which of them
// an upstream heeds is not known. Where its own field does not, and another does, a maker
// would refuse both; a compatible server may know the older one only.
func (c *Caps) write(compatible bool) (own, older bool) {
	hasOwn, hasOlder := c.Own.To > 0, c.Older.To > 0
	own = hasOwn && (c.Own.Said || !hasOlder || !compatible && !c.Older.Said)
	older = hasOlder && (c.Older.Said || compatible)
	return own, older
}

// SpliceCapped is Splice of a body by which the upstream is bound to a cap, too. What the
// caller said stays where it is lower, and is replaced where it is not, or is not written
// in digits alone. A body without a place for a cap (vectors, images, a generationConfig that
// is no object) gets none.
func (r *Request) SpliceCapped(dst [][]byte, body, model []byte, limit Cap) [][]byte {
	if limit.Tokens <= 0 {
		return r.Splice(dst, body, model)
	}
	var space [4]piece
	pieces := r.pieces(space[:0], model)
	own, older := r.Caps.write(limit.Compatible)
	if own {
		pieces = r.Caps.Own.cap(pieces, body, limit.Tokens)
	}
	if older {
		pieces = r.Caps.Older.cap(pieces, body, limit.Tokens)
	}
	slices.SortStableFunc(pieces, func(a, b piece) int { return cmp.Compare(a.from, b.from) })
	at := 0
	for _, p := range pieces {
		dst = append(dst, body[at:p.from], p.text)
		at = p.to
	}
	return append(dst, body[at:])
}

// piece takes the place of body[from:to].
type piece struct {
	from, to int
	text     []byte
}

// pieces are what Splice changes.
func (r *Request) pieces(pieces []piece, model []byte) []piece {
	if r.ModelAt.To > 0 && len(model) > 0 {
		pieces = append(pieces, piece{r.ModelAt.From, r.ModelAt.To, model})
	}
	if r.Options.Text != "" {
		pieces = append(pieces, piece{r.Options.From, r.Options.To, []byte(r.Options.Text)})
	}
	for _, e := range r.Models {
		pieces = append(pieces, piece{e.From, e.To, append([]byte(`"models/`), model[1:]...)})
	}
	return pieces
}

func (s *Slot) cap(pieces []piece, body []byte, most int64) []piece {
	tokens, stays := lesser(body[s.From:s.To], most)
	if stays {
		return pieces
	}
	text := strconv.AppendInt([]byte(s.Before), tokens, 10)
	return append(pieces, piece{s.From, s.To, append(text, s.After...)})
}

// lesser is a cap that is no higher than the caller's, where that is a number of 1 or more
// (0 is none to some servers), and whether the caller's own stays.
func lesser(value []byte, most int64) (tokens int64, stays bool) {
	plain := string(bytes.Trim(value, `"`))
	if n, err := strconv.ParseInt(plain, 10, 64); err == nil {
		return most, 0 < n && n <= most
	}
	if f, err := strconv.ParseFloat(plain, 64); err == nil && 1 <= f && f < float64(most) {
		return int64(f), false // 1e3: not all servers read it alike
	}
	return most, false
}

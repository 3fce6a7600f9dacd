package dialect

import "fmt"

// Fields are the names of those that policy reads, as callers write them, for what it says
// of them. They are constants of the dialect, and empty where a request has none.
type Fields struct {
	// MaxOutput is the field of the caller's cap, or in which to say one; Choices that of
	// their number.
	MaxOutput, Choices string
	// OpenEnded and Unpriced are the first because of which it is so; EscapedName where that
	// is not known.
	OpenEnded, Unpriced string
	// Loops is the first because of which the provider asks the model more than once, each
	// time with all that went before, or bills what it did beside tokens; empty: it does not.
	Loops string
	// Predicts is the field with what the answer is expected to be; empty: there is none.
	Predicts string
}

// EscapedName stands for a field whose name has escapes: it might be any.
const EscapedName = `\`

// Opens notes the first field because of which the request is open-ended.
func (r *Request) Opens(field string) {
	if !r.OpenEnded {
		r.OpenEnded, r.Fields.OpenEnded = true, field
	}
}

// Unprices notes the first field because of which the request has no known price.
func (r *Request) Unprices(field string) {
	if !r.Unpriced {
		r.Unpriced, r.Fields.Unpriced = true, field
	}
}

// Looped notes the first field because of which the provider goes on by itself.
func (r *Request) Looped(field string) {
	if r.Fields.Loops == "" {
		r.Fields.Loops = field
	}
}

// Unbounded is why no bound is known of what a request can cost.
type Unbounded struct {
	// Field that it is about; empty: none, or none that can be named.
	Field string
	// Message is for its caller: what is wrong, and what is wanted.
	Message string
}

// Unbounded says why nothing is known that the request can't exceed, nil where something is.
// maxInput and maxOutput are the tokens that the model takes of one prompt and gives of one
// choice; 0: not known.
func (r *Request) Unbounded(maxInput, maxOutput int64) *Unbounded {
	switch {
	case r.Unmetered:
		return &Unbounded{Message: "What it can cost does not follow from the request: it is not billed by tokens that can be foreseen."}
	case r.Unpriced:
		return unbounded(r.Fields.Unpriced, "It asks for what is billed at other rates than the model's, or beside its tokens.", "Leave it out.")
	case r.Fields.Loops != "":
		return unbounded(r.Fields.Loops, "The provider runs it by itself, as often as the model asks for it, and bills each turn.", "Leave it out.")
	case r.Fields.Predicts != "":
		return unbounded(r.Fields.Predicts, "What of it does not come in the answer is billed as output, beside what an answer may have.", "Leave it out.")
	case r.OpenEnded && maxInput <= 0:
		return unbounded(r.Fields.OpenEnded, "It may be billed as more tokens than it has bytes, and how many tokens the model takes at most is not known.", "Send text only, or ask for another model.")
	case r.NoOutput:
		return nil
	case r.Choices <= 0:
		return unbounded(r.Fields.Choices, "It is not a whole number of 1 or more, so that it is not known how many answers are asked for.", "")
	case r.MaxOutput < 0:
		return unbounded(r.Fields.MaxOutput, "It is not a whole number in plain digits, so that it is not known how long an answer may be.", "")
	case r.MaxOutput == 0 && maxOutput <= 0:
		return unbounded(r.Fields.MaxOutput, "It is not there, and how many tokens the model gives at most is not known.", "Say how many tokens an answer may have.")
	}
	return nil
}

func unbounded(field, why, instead string) *Unbounded {
	text := why
	if instead != "" {
		text += " " + instead
	}
	switch field {
	case "":
		return &Unbounded{Message: text}
	case EscapedName:
		return &Unbounded{Message: "A field's name is written with escapes, and might be any. " + text + " Or write the name without escapes."}
	}
	return &Unbounded{Field: field, Message: fmt.Sprintf("%s: %s", field, text)}
}

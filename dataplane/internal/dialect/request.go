package dialect

// Unknown is a bound that could not be read.
const Unknown = -1

// Request is what policy needs of a request's body.
type Request struct {
	Model  string
	Stream bool
	// AsksUsage: the caller wants the usage event of a stream.
	AsksUsage bool
	// MaxOutput is the caller's cap on the output tokens of one choice; 0: none.
	// Unknown where it is not a whole number.
	MaxOutput int64
	// Choices is at least 1, or Unknown.
	Choices int64
	// ServiceTier as the dialect calls it in its answers, empty when it is not a string.
	ServiceTier string
	// Geo is where it is to be served, in the dialect's own word; empty: it does not say.
	Geo string
	// Unpriced: the caller asks for what is billed beside what usage tells.
	Unpriced bool
	// OpenEnded: parts of the prompt may be billed as more tokens than they have
	// bytes (images, audio, files).
	OpenEnded bool
	// Beside is how many tokens the provider adds to the prompt at most.
	Beside int64
	// Prompts is how many prompts it has, each bounded by what the model takes; 0 is one.
	Prompts int64
	// NoOutput: the answer has no tokens.
	NoOutput bool
	// Unmetered: what it can use does not follow from the request, and what it used is known
	// only where the answer says so.
	Unmetered bool
	// Form: the body is multipart/form-data, where the model stands as it is.
	Form bool
	// SendsAudio: parts of the prompt may be audio. AsksAudio: the answer may be.
	SendsAudio, AsksAudio bool
	// AsksImages: the answer may have images among its tokens.
	AsksImages bool

	// ModelAt is where the body names the model; its Text is not used, and it is empty
	// where the path has the name. Options is what else is changed; no Text: nothing.
	ModelAt, Options Edit
	// Caps is where the output is capped.
	Caps Caps
	// Fields are by which fields it is so.
	Fields Fields
	// Models is where a body names, as "models/NAME", the model that stands in its path;
	// in the body's order.
	Models []Edit
}

// Edit replaces body[From:To].
type Edit struct {
	From, To int
	Text     string
}

// Splice appends to dst the parts of the body to send: with another model (a JSON
// string) and with the options, else as it came. The parts share memory with body and
// model.
func (r *Request) Splice(dst [][]byte, body, model []byte) [][]byte {
	if r.Models != nil {
		return r.spliceModels(dst, body, model)
	}
	edits := [2]Edit{r.ModelAt, r.Options}
	texts := [2][]byte{model, []byte(r.Options.Text)}
	if r.Options.Text != "" && r.Options.From < r.ModelAt.From {
		edits[0], edits[1] = edits[1], edits[0]
		texts[0], texts[1] = texts[1], texts[0]
	}
	at := 0
	for i, e := range edits {
		if len(texts[i]) == 0 || e.To == 0 {
			continue
		}
		dst = append(dst, body[at:e.From], texts[i])
		at = e.To
	}
	return append(dst, body[at:])
}

func (r *Request) spliceModels(dst [][]byte, body, model []byte) [][]byte {
	at := 0
	for _, e := range r.Models {
		dst = append(dst, body[at:e.From], []byte(`"models/`), model[1:])
		at = e.To
	}
	return append(dst, body[at:])
}

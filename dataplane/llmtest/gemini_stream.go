package llmtest

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"
)

// geminiFrame puts chunks into a stream: events, or elements of an array.
type geminiFrame struct {
	array bool
	begun bool
}

func (f *geminiFrame) of(chunk []byte) []byte {
	switch {
	case !f.array:
		return append(append([]byte("data: "), chunk...), "\r\n\r\n"...)
	case f.begun:
		return append([]byte(",\r\n"), chunk...)
	}
	f.begun = true
	return append([]byte("["), chunk...)
}

// stream sends the answer chunk by chunk, candidates in turn. There is no end mark: the
// last chunk of each has the reason.
func (g *geminiReply) stream(w http.ResponseWriter, pace pace) error {
	frame := &geminiFrame{array: g.request.Array}
	kind := "text/event-stream"
	if frame.array {
		kind = "application/json; charset=UTF-8"
	}
	w.Header().Set("Content-Type", kind)
	s := &stream{
		w: w, flush: http.NewResponseController(w).Flush, pace: pace, fault: g.fault,
		malformed: frame.of([]byte("{\"candidates\":[{\"index\"\r\n\r\nnot an event\r\n\r\ndata\r\n\r\n")),
		failure:   frame.of(geminiMidway.body()),
		huge: func(size int) []byte {
			g.generated.Output++
			return frame.of(g.response(candidateJSON(0, textPart(strings.Repeat("x", size)), "")))
		},
	}
	frame.begun = false // the two above are drafts
	if err := g.streamCandidates(s, frame); err != nil {
		return err
	}
	if frame.array {
		return s.write([]byte("]"))
	}
	return nil
}

func textPart(text string) string { return `{"text":` + string(quote(text)) + `}` }

func (g *geminiReply) streamCandidates(s *stream, frame *geminiFrame) error {
	send := func(choice int, parts, reason string, settle func()) error {
		return s.sendAfter(frame.of(g.response(candidateJSON(choice, parts, reason))), settle)
	}
	none := func() {}
	g.generated.Reasoning = int64(g.reasoning * g.request.N)
	for i := range g.request.N {
		for _, thought := range g.thought(i) {
			if err := send(i, thought, "", none); err != nil {
				return err
			}
		}
	}
	for token := range g.answer {
		if err := s.pace.sleep(g.tokenDelay); err != nil {
			return err
		}
		for i := range g.request.N {
			g.generated.Output++
			parts := g.piece(i, token)
			if parts == "" {
				continue
			}
			if err := send(i, parts, "", none); err != nil {
				return err
			}
		}
	}
	if g.fault.Kind == NoDone {
		return nil
	}
	for i := range g.request.N {
		settle := none
		if i == g.request.N-1 {
			settle = func() { g.settle(completed) }
		}
		if err := send(i, textPart(""), g.reason(), settle); err != nil {
			return err
		}
	}
	return nil
}

// piece is the part for a token: a word of the text. Calls and JSON come whole, with the
// last one.
func (g *geminiReply) piece(choice, token int) string {
	whole := len(g.request.Calls) > 0 || g.request.JSON
	switch {
	case !whole:
		return `{"text":` + string(g.encoded(choice, token)) + `}`
	case token == g.answer-1:
		return strings.Join(g.said(choice), ",")
	}
	return ""
}

// countTokens costs nothing.
func (s *Server) countGeminiTokens(w http.ResponseWriter, model string, body []byte) {
	if inner := field(gjson.ParseBytes(body), "generateContentRequest"); inner.Exists() {
		body = []byte(inner.Raw)
	}
	request, invalid := parseGemini(model, body)
	if invalid != nil {
		s.refuseGemini(w, false, *invalid)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_, _ = fmt.Fprintf(w, `{"totalTokens":%d,"promptTokensDetails":[{"modality":"TEXT","tokenCount":%[1]d}]}`+"\n", request.PromptTokens)
}

const embeddingSize = 8

// embedContent gives a vector that follows from the text.
func (s *Server) embedContent(w http.ResponseWriter, r *http.Request, model string, body []byte) {
	s.embed(w, r, model, []gjson.Result{gjson.ParseBytes(body)}, func(vectors []string) string { return `{"embedding":` + vectors[0] + `}` })
}

// embedContents embeds several texts at once.
func (s *Server) embedContents(w http.ResponseWriter, r *http.Request, model string, body []byte) {
	s.embed(w, r, model, gjson.GetBytes(body, "requests").Array(), func(vectors []string) string {
		return `{"embeddings":[` + strings.Join(vectors, ",") + `]}`
	})
}

func (s *Server) embed(w http.ResponseWriter, r *http.Request, model string, requests []gjson.Result, shape func([]string) string) {
	var vectors []string
	words := 0
	for _, request := range requests {
		text := geminiText(field(request, "content"))
		switch named := request.Get("model"); {
		case named.Exists() && named.Str != "models/"+model:
			s.refuseGemini(w, false, *invalidGemini("* EmbedContentRequest.model: the model of the request is not that of the path"))
			return
		case text == "":
			s.refuseGemini(w, false, *invalidGemini("* EmbedContentRequest.content: content is required"))
			return
		}
		words += CountWords(text)
		values := make([]string, embeddingSize)
		for i := range values {
			values[i] = fmt.Sprintf("0.%02d", wordIndex(firstWord(text), 0, 3*i))
		}
		vectors = append(vectors, `{"values":[`+strings.Join(values, ",")+`]}`)
	}
	if len(vectors) == 0 {
		s.refuseGemini(w, false, *invalidGemini("* BatchEmbedContentsRequest.requests: requests is required"))
		return
	}
	s.charge(r.Context(), model, completed, Tokens{Input: int64(words)})
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	_, _ = fmt.Fprintln(w, shape(vectors))
}

package llmtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"

	"github.com/tidwall/gjson"
)

// Wire format: https://platform.openai.com/docs/api-reference

// call is a request to one of OpenAI's endpoints beside chats.
type call struct {
	path   string
	number int64
	at     int64
	// fields of a JSON body, or of a form, as strings.
	fields gjson.Result
	file   []byte
	reply  reply
}

func (c *call) fault() Fault { return c.reply.fault }

// planned is an answer that is decided before its first byte: a body, or events.
type planned struct {
	reply
	kind string
	body []byte
	// events are sent one by one; last settles the account.
	events []plannedEvent
	// last ends a stream; it is left out by NoDone.
	last    []byte
	failure []byte
	huge    func(size int) []byte
}

// plannedEvent is what is sent, and what was generated for it.
type plannedEvent struct {
	raw    []byte
	tokens Tokens
}

func (p *planned) refuse(w http.ResponseWriter, status int) {
	e := midwayError
	if status != http.StatusOK {
		e = statusError(w.Header(), p.fault)
	}
	writeOpenAIError(w, status, e)
}

func (p *planned) whole(w http.ResponseWriter, pace pace) error {
	for _, event := range p.events {
		if err := pace.sleep(p.tokenDelay); err != nil {
			return err
		}
		p.generated.plus(event.tokens)
	}
	w.Header().Set("Content-Type", p.kind)
	return sendWhole(w, p.body, p.fault, p.settle)
}

func (p *planned) stream(w http.ResponseWriter, pace pace) error {
	w.Header().Set("Content-Type", p.kind)
	s := &stream{w: w, flush: http.NewResponseController(w).Flush, pace: pace, fault: p.fault,
		malformed: []byte("data: {\"delta\n\nnot an event\n\ndata\n\n"), failure: p.failure, huge: p.huge}
	if p.failure == nil {
		s.failure = append(append([]byte("data: "), midwayError.body()...), "\n\n"...)
	}
	for i, event := range p.events {
		if event.tokens != (Tokens{}) {
			if err := pace.sleep(p.tokenDelay); err != nil {
				return err
			}
			p.generated.plus(event.tokens)
		}
		settle := func() {}
		if i == len(p.events)-1 && p.last == nil {
			settle = func() { p.settle(completed) }
		}
		if err := s.sendAfter(event.raw, settle); err != nil {
			return err
		}
	}
	if p.last == nil || p.fault.Kind == NoDone {
		return nil
	}
	return s.sendAfter(p.last, func() { p.settle(completed) })
}

func (t *Tokens) plus(o Tokens) {
	t.Input += o.Input
	t.CachedInput += o.CachedInput
	t.Output += o.Output
	t.Reasoning += o.Reasoning
	t.InputAudio += o.InputAudio
	t.OutputAudio += o.OutputAudio
}

func (s *Server) routePlanned() {
	for path, plan := range map[string]func(*Server, *call) (*planned, *openAIError){
		"responses": (*Server).planResponse, "embeddings": (*Server).planEmbeddings, "completions": (*Server).planCompletion,
		"moderations": (*Server).planModeration, "images/generations": (*Server).planImage, "images/edits": (*Server).planImage,
		"images/variations": (*Server).planImage, "audio/speech": (*Server).planSpeech,
		"audio/transcriptions": (*Server).planTranscript, "audio/translations": (*Server).planTranscript,
	} {
		s.mux.HandleFunc("POST /v1/"+path, s.openAI(func(w http.ResponseWriter, r *http.Request, body []byte) { s.servePlanned(w, r, body, plan) }))
	}
}

func (s *Server) servePlanned(w http.ResponseWriter, r *http.Request, body []byte, plan func(*Server, *call) (*planned, *openAIError)) {
	c := &call{path: r.URL.Path, number: s.served.Load(), at: s.options.Now().Unix()}
	invalid := c.read(r.Header.Get("Content-Type"), body)
	model := c.fields.Get("model").String()
	if invalid == nil && model == "" {
		invalid = &openAIError{Message: "you must provide a model parameter", Type: "invalid_request_error"}
	}
	if invalid != nil {
		s.refuse(w, http.StatusBadRequest, *invalid)
		return
	}
	if !s.serves(model) {
		s.refuse(w, http.StatusNotFound, modelError(model))
		return
	}
	fault, err := s.faultFor(r, model)
	if err != nil {
		s.refuse(w, http.StatusBadRequest, openAIError{Message: FaultHeader + ": " + err.Error(), Type: "invalid_request_error"})
		return
	}
	c.reply = s.reply(model, c.fields.Get("stream").String() == "true", fault)
	answer, invalid := plan(s, c)
	if invalid != nil {
		s.refuse(w, override(http.StatusBadRequest, invalid.Status), *invalid)
		return
	}
	answer.serve(w, s.pace(r, fault), answer)
}

// read takes a body in JSON, or a form, whose last file is kept.
func (c *call) read(contentType string, body []byte) *openAIError {
	kind, parameters, _ := mime.ParseMediaType(contentType)
	if kind == "multipart/form-data" {
		return c.readForm(multipart.NewReader(bytes.NewReader(body), parameters["boundary"]))
	}
	if !gjson.ValidBytes(body) || !gjson.ParseBytes(body).IsObject() {
		return &openAIError{Type: "invalid_request_error", Message: "We could not parse the JSON body of your request."}
	}
	c.fields = gjson.ParseBytes(body)
	return nil
}

func (c *call) readForm(form *multipart.Reader) *openAIError {
	text := []byte{'{'}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			c.fields = gjson.ParseBytes(append(text, '}'))
			return nil
		}
		var value []byte
		if err == nil {
			value, err = io.ReadAll(part)
		}
		if err != nil {
			return &openAIError{Type: "invalid_request_error", Message: "Could not parse multipart form"}
		}
		if part.FileName() != "" {
			c.file = value
			continue
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = append(append(append(text, quote(part.FormName())...), ':'), quote(string(value))...)
	}
}

func missing(name string) *openAIError {
	return &openAIError{Type: "invalid_request_error", Param: name, Code: "missing_required_parameter",
		Message: "Missing required parameter: '" + name + "'."}
}

// whole is the number of a field; in forms it is a string.
func (c *call) whole(name string, absent int) int {
	value := c.fields.Get(name)
	n, err := strconv.Atoi(value.String())
	if !value.Exists() || err != nil {
		return absent
	}
	return n
}

// event is one of a stream whose events have types.
func event(kind, rest string) []byte {
	return fmt.Appendf(nil, "event: %s\ndata: {\"type\":%q%s}\n\n", kind, kind, rest)
}

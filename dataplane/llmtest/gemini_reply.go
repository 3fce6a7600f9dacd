package llmtest

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"

	"github.com/tidwall/gjson"
)

// geminiReply is one planned answer in this dialect; it is counted as any chat is.
type geminiReply struct {
	*chatReply
	request geminiRequest
	id      string
}

func (s *Server) generateContent(w http.ResponseWriter, r *http.Request, model string, body []byte) {
	stream := strings.HasSuffix(r.URL.Path, ":streamGenerateContent")
	array := stream && r.URL.Query().Get("alt") != "sse"
	request, invalid := parseGemini(model, body)
	if invalid != nil {
		s.refuseGemini(w, array, *invalid)
		return
	}
	fault, err := s.faultFor(r, model)
	if err != nil {
		s.refuseGemini(w, array, *invalidGemini("%s: %v", FaultHeader, err))
		return
	}
	request.Stream, request.Array = stream, array
	g := &geminiReply{chatReply: s.plan(request.chatRequest, fault), request: request, id: fmt.Sprintf("resp%012d", s.served.Load())}
	if before, _, met := stopped(g.text(0), request.Stops); met {
		g.answer, g.finish = CountWords(before), "stop"
	}
	g.serve(w, s.pace(r, fault), g)
}

func (g *geminiReply) refuse(w http.ResponseWriter, status int) {
	e := geminiMidway
	if status != http.StatusOK {
		e = geminiStatus(g.fault)
	}
	writeGeminiError(w, status, g.request.Array, e)
}

// whole sends the answer as one JSON body.
func (g *geminiReply) whole(w http.ResponseWriter, pace pace) error {
	g.generated.Reasoning = int64(g.reasoning * g.request.N)
	for range g.answer {
		if err := pace.sleep(g.tokenDelay); err != nil {
			return err
		}
		g.generated.Output += int64(g.request.N)
	}
	body := g.body()
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	return sendWhole(w, body, g.fault, g.settle)
}

func (g *geminiReply) body() []byte {
	candidates := make([]string, g.request.N)
	for i := range candidates {
		parts := append(g.thought(i), g.said(i)...)
		candidates[i] = candidateJSON(i, strings.Join(parts, ","), g.reason())
	}
	return g.response(candidates...)
}

// candidateJSON is one candidate; reason is empty until it ends.
func candidateJSON(index int, parts, reason string) string {
	finish := ""
	if reason != "" {
		finish = `,"finishReason":"` + reason + `"`
	}
	return fmt.Sprintf(`{"content":{"parts":[%s],"role":"model"}%s,"index":%d}`, parts, finish, index)
}

// response is a GenerateContentResponse with what was generated so far.
func (g *geminiReply) response(candidates ...string) []byte {
	b := fmt.Appendf(nil, `{"candidates":[%s]`, strings.Join(candidates, ","))
	if g.fault.Kind != NoUsage {
		b = g.appendUsage(b)
	}
	return fmt.Appendf(b, `,"modelVersion":%s,"responseId":"%s"}`, quote(g.request.Model), g.id)
}

// appendUsage tells what was generated in the provider's counts; those that are 0 are left out.
func (g *geminiReply) appendUsage(b []byte) []byte {
	prompt, t := int64(g.request.PromptTokens), g.generated
	b = fmt.Appendf(b, `,"usageMetadata":{"promptTokenCount":%d`, prompt)
	for _, count := range []struct {
		name  string
		value int64
	}{{"candidatesTokenCount", t.Output}, {"totalTokenCount", prompt + t.Output + t.Reasoning}, {"cachedContentTokenCount", t.CachedInput}, {"thoughtsTokenCount", t.Reasoning}} {
		if count.value > 0 {
			b = fmt.Appendf(b, `,"%s":%d`, count.name, count.value)
		}
	}
	return fmt.Appendf(b, `,"promptTokensDetails":[{"modality":"TEXT","tokenCount":%d}],"serviceTier":"standard"}`, prompt)
}

func (g *geminiReply) reason() string {
	if g.finish == "length" {
		return "MAX_TOKENS"
	}
	return "STOP"
}

// thought is the part with a summary of the thoughts, where it was asked for.
func (g *geminiReply) thought(choice int) []string {
	if !g.request.Thoughts || g.reasoning == 0 {
		return nil
	}
	return []string{fmt.Sprintf(`{"text":%s,"thought":true}`, quote(Answer("thinking about "+g.request.LastUser, choice, g.reasoning)))}
}

// said are the parts of the answer itself: a call or a text.
func (g *geminiReply) said(choice int) []string {
	if len(g.request.Calls) > 0 {
		return g.calls(choice)
	}
	return []string{`{"text":` + string(quote(g.spoken(choice))) + `}`}
}

func (g *geminiReply) spoken(choice int) string {
	if g.request.JSON {
		return filled(g.request.Schema, g.text(choice))
	}
	return g.text(choice)
}

// calls are the parts that call; the first is signed, as Gemini 3 does.
func (g *geminiReply) calls(choice int) []string {
	var parts []string
	for i, called := range g.request.Calls {
		args := "{}"
		if called.schema.Exists() {
			args = filled(called.schema, vocabulary[g.first])
		}
		part := fmt.Sprintf(`{"functionCall":{"id":"%s-%d","name":%s,"args":%s}`, g.id, 100*i+choice, quote(called.name), args)
		if i == 0 {
			part += `,"thoughtSignature":"` + base64.StdEncoding.EncodeToString([]byte("signed "+called.name)) + `"`
		}
		parts = append(parts, part+"}")
	}
	return parts
}

// filled is a value that fits a schema, JSON Schema's or OpenAPI's; strings in it are the
// words. Without a schema it is an object with one.
func filled(schema gjson.Result, words string) string {
	kind := schema.Get("type")
	if kind.IsArray() {
		kind = kind.Get("0")
	}
	if first := schema.Get("enum.0"); first.Exists() {
		return first.Raw
	}
	switch strings.ToLower(kind.Str) {
	case "string":
		return string(quote(words))
	case "integer", "number":
		return "1"
	case "boolean":
		return "true"
	case "array":
		return "[" + filled(schema.Get("items"), words) + "]"
	}
	var fields []string
	schema.Get("properties").ForEach(func(name, property gjson.Result) bool {
		fields = append(fields, name.Raw+":"+filled(property, words))
		return true
	})
	if !schema.Exists() {
		fields = []string{`"answer":` + string(quote(words))}
	}
	return "{" + strings.Join(fields, ",") + "}"
}

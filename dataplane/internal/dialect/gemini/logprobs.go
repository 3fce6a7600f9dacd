package gemini

// Log probabilities are kept as OpenAI's object: {"content":[{"token","logprob","bytes",
// "top_logprobs"}],"refusal":null}. Gemini has two lists of one entry a step:
// https://ai.google.dev/api/generate-content#LogprobsResult

// logprobs writes logprobsResult from OpenAI's object; bytes have no place there.
func (o *out) logprobs(openAI string) {
	if !isObject([]byte(openAI)) {
		return
	}
	var tokens [][]byte
	object([]byte(openAI), func(name string, value []byte) {
		if name == "content" {
			elements(value, func(token []byte) { tokens = append(tokens, token) })
		}
	})
	if len(tokens) == 0 {
		return
	}
	o.open("logprobsResult", '{')
	o.open("chosenCandidates", '[')
	for _, token := range tokens {
		o.logprob(token)
	}
	o.end(']')
	o.open("topCandidates", '[')
	for _, token := range tokens {
		o.item('{')
		o.open("candidates", '[')
		object(token, func(name string, value []byte) {
			if name == "top_logprobs" {
				elements(value, o.logprob)
			}
		})
		o.end(']')
		o.end('}')
	}
	o.end(']')
	o.end('}')
}

func (o *out) logprob(token []byte) {
	o.item('{')
	object(token, func(name string, value []byte) {
		switch name {
		case "token":
			o.raw("token", string(value))
		case "logprob":
			o.raw("logProbability", string(value))
		}
	})
	o.end('}')
}

// openAILogprobs is OpenAI's object for a logprobsResult; empty: there is nothing in it.
func openAILogprobs(result []byte) string {
	var chosen, top [][]byte
	object(result, func(name string, value []byte) {
		switch name {
		case "chosenCandidates":
			elements(value, func(step []byte) { chosen = append(chosen, step) })
		case "topCandidates":
			elements(value, func(step []byte) { top = append(top, step) })
		}
	})
	if len(chosen) == 0 {
		return ""
	}
	var o out
	o.begin('{')
	o.open("content", '[')
	for i, step := range chosen {
		o.openAILogprob(step, func() {
			o.open("top_logprobs", '[')
			if i < len(top) {
				o.alternatives(top[i])
			}
			o.end(']')
		})
	}
	o.end(']')
	o.raw("refusal", "null")
	o.end('}')
	return string(o.b)
}

func (o *out) alternatives(step []byte) {
	object(step, func(name string, value []byte) {
		if name == "candidates" {
			elements(value, func(token []byte) { o.openAILogprob(token, func() {}) })
		}
	})
}

// openAILogprob writes a token; a probability that is left out is 0, which is certain.
func (o *out) openAILogprob(token []byte, more func()) {
	spoken, probability := `""`, "0"
	object(token, func(name string, value []byte) {
		switch name {
		case "token":
			spoken = string(value)
		case "logProbability":
			probability = string(value)
		}
	})
	o.item('{')
	o.raw("token", spoken)
	o.raw("logprob", probability)
	o.raw("bytes", "null")
	more()
	o.end('}')
}

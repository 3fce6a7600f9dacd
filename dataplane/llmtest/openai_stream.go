package llmtest

import (
	"net/http"
	"strconv"
	"strings"
)

// chunks renders the events of one stream into one reused buffer; what never changes is rendered once.
type chunks struct {
	head, tail []byte
	buffer     []byte
}

func (c *chatReply) chunks() *chunks {
	head := append(make([]byte, 0, 256), `data: {"id":"`...)
	head = append(head, c.id...)
	head = append(head, `","object":"chat.completion.chunk","created":`...)
	head = strconv.AppendInt(head, c.created, 10)
	head = append(head, `,"model":`...)
	head = append(head, quote(c.request.Model)...)
	head = append(head, `,"service_tier":"default","system_fingerprint":"fp_llmtest","choices":[`...)
	tail := "]}\n\n"
	if c.request.IncludeUsage && c.fault.Kind != NoUsage {
		tail = "],\"usage\":null}\n\n"
	}
	return &chunks{head: head, tail: []byte(tail), buffer: make([]byte, 0, 512)}
}

// choice renders one event; delta is the object's JSON, finish is empty or the reason.
func (k *chunks) choice(index int, delta string, value []byte, finish string) []byte {
	b := k.buffer[:0]
	b = append(b, k.head...)
	b = append(b, `{"index":`...)
	b = strconv.AppendInt(b, int64(index), 10)
	b = append(b, `,"delta":{`...)
	b = append(b, delta...)
	b = append(b, value...)
	b = append(b, `},"logprobs":null,"finish_reason":`...)
	if finish == "" {
		b = append(b, "null}"...)
	} else {
		b = append(b, '"')
		b = append(b, finish...)
		b = append(b, `"}`...)
	}
	b = append(b, k.tail...)
	k.buffer = b
	return b
}

func (k *chunks) usage(c *chatReply) []byte {
	b := k.buffer[:0]
	b = append(b, k.head...)
	b = append(b, `],"usage":`...)
	b = c.appendUsage(b)
	b = append(b, "}\n\n"...)
	k.buffer = b
	return b
}

const contentDelta = `"content":`

var doneEvent = []byte("data: [DONE]\n\n")

// stream sends the answer as server-sent events.
func (c *chatReply) stream(w http.ResponseWriter, pace pace) error {
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-cache")
	k := c.chunks()
	s := &stream{
		w: w, flush: http.NewResponseController(w).Flush, pace: pace, fault: c.fault,
		malformed: append(append([]byte{}, k.head...), "{\"index\":0,\"delta\n\nnot an event\n\ndata\n\n"...),
		failure:   append(append([]byte("data: "), midwayError.body()...), "\n\n"...),
		huge: func(size int) []byte {
			c.generated.Output++
			return k.clone().choice(0, contentDelta, quote(strings.Repeat("x", size)), "")
		},
	}
	if err := c.streamChoices(s, k); err != nil {
		return err
	}
	if c.request.IncludeUsage && c.fault.Kind != NoUsage {
		if err := s.send(k.usage(c)); err != nil {
			return err
		}
	}
	if c.fault.Kind == NoDone {
		return nil
	}
	return s.sendAfter(doneEvent, func() { c.settle(completed) })
}

func (k *chunks) clone() *chunks { return &chunks{head: k.head, tail: k.tail} }

func (c *chatReply) streamChoices(s *stream, k *chunks) error {
	for i := range c.request.N {
		opening := (&chatChoice{}).opening()
		if c.shaped != nil {
			opening = c.shaped[i].opening()
		}
		if err := s.send(k.choice(i, opening, nil, "")); err != nil {
			return err
		}
	}
	c.generated.Reasoning = int64(c.reasoning * c.request.N)
	err := c.streamThoughts(s, k)
	if err == nil && c.shaped != nil {
		err = c.streamShaped(s, k)
	} else if err == nil {
		err = c.streamWords(s, k)
	}
	for i := 0; err == nil && i < c.request.N; i++ {
		err = s.send(k.choice(i, "", nil, c.reason(i)))
	}
	return err
}

// streamThoughts sends reasoning where it is shown.
func (c *chatReply) streamThoughts(s *stream, k *chunks) error {
	if !c.aloud() {
		return nil
	}
	for i := range c.request.N {
		for _, word := range words(c.thought(i)) {
			if err := s.send(k.choice(i, `"reasoning_content":`, quote(word), "")); err != nil {
				return err
			}
		}
	}
	return nil
}

// streamWords sends choices interleaved token by token.
func (c *chatReply) streamWords(s *stream, k *chunks) error {
	for token := range c.answer {
		if err := s.pace.sleep(c.tokenDelay); err != nil {
			return err
		}
		for i := range c.request.N {
			c.generated.Output++
			if err := s.send(k.choice(i, contentDelta, c.encoded(i, token), "")); err != nil {
				return err
			}
		}
	}
	return nil
}

// streamShaped sends one choice after the other.
func (c *chatReply) streamShaped(s *stream, k *chunks) error {
	for i := range c.shaped {
		err := c.shaped[i].deltas(func(delta string, value []byte, token bool) error {
			if token {
				c.generated.Output++
				if err := s.pace.sleep(c.tokenDelay); err != nil {
					return err
				}
			}
			return s.send(k.choice(i, delta, value, ""))
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *chatReply) encoded(choice, token int) []byte {
	word := encodedVocabulary[wordIndex(c.first, choice, token)]
	if token == 0 {
		return word.first
	}
	return word.later
}

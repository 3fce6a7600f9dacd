package anthropic

import "github.com/weirhq/weir/dataplane/internal/dialect/chat"

// Request reads the body of a messages request.
func (s *Surface) Request(body []byte) (*chat.Request, *chat.Fault) {
	r := reader{counts: s.counts}
	request := r.request(value{raw: body})
	if r.fault != nil {
		return nil, r.fault
	}
	request.Lossy = r.lossy
	return request, nil
}

func (r *reader) request(body value) *chat.Request {
	o := r.object(body)
	request := &chat.Request{
		Model:     r.text(r.must(&o, "model")),
		MaxOutput: r.whole(r.capped(&o)),
		System:    r.texts(o.take("system")),
		Messages:  r.messages(r.must(&o, "messages")),
		Tools:     r.tools(o.take("tools")),
		Sampling: chat.Sampling{
			Temperature: r.number(o.take("temperature")),
			TopP:        r.number(o.take("top_p")),
			TopK:        r.number(o.take("top_k")),
		},
		ServiceTier: r.text(o.take("service_tier")),
	}
	if stream := r.flag(o.take("stream")); stream != nil {
		request.Stream = *stream
	}
	r.each(o.take("stop_sequences"), func(v value) { request.Stop = append(request.Stop, r.text(v)) })
	r.choice(o.take("tool_choice"), request)
	r.reasoning(o.take("thinking"), &request.Reasoning)
	r.output(o.take("output_config"), request)
	if old := o.take("output_format"); old.raw != nil { // the name it had as a beta
		request.Format = r.format(old)
	}
	r.metadata(o.take("metadata"), request)
	r.automatic(o.take("cache_control"), request)
	r.rest(&o)
	return request
}

func (r *reader) capped(o *object) value {
	if r.counts {
		return o.take("max_tokens")
	}
	return r.must(o, "max_tokens")
}

func (r *reader) metadata(v value, request *chat.Request) {
	o := r.object(v)
	request.User = r.text(o.take("user_id"))
	r.rest(&o)
}

// automatic reads the mark of the whole request: it stands for one on the last block
// that can be cached.
func (r *reader) automatic(v value, request *chat.Request) {
	mark := r.mark(v)
	if mark == nil || len(request.Messages) == 0 {
		return
	}
	parts := request.Messages[len(request.Messages)-1].Parts
	if len(parts) == 0 || parts[len(parts)-1].Kind == chat.Thinking || parts[len(parts)-1].Kind == chat.Redacted {
		r.note(v.path)
		return
	}
	if last := &parts[len(parts)-1]; last.Cache == nil {
		last.Cache = mark
	}
}

// mark reads a cache_control.
func (r *reader) mark(v value) *chat.CacheMark {
	if v.raw == nil {
		return nil
	}
	o := r.object(v)
	r.word(r.must(&o, "type"), "ephemeral")
	mark := &chat.CacheMark{TTL: r.word(o.take("ttl"), "5m", "1h")}
	r.rest(&o)
	return mark
}

// reasoning reads thinking. That it is disabled stands as the effort "none".
func (r *reader) reasoning(v value, reasoning *chat.Reasoning) {
	if v.raw == nil {
		return
	}
	o := r.object(v)
	switch r.word(r.must(&o, "type"), "enabled", "adaptive", "disabled") {
	case "enabled":
		reasoning.Budget = r.whole(r.must(&o, "budget_tokens"))
	case "adaptive":
		reasoning.Budget = chat.Unbounded
	case "disabled":
		reasoning.Effort = "none"
	}
	reasoning.Summary = r.word(o.take("display"), "summarized", "omitted") == "summarized"
	r.rest(&o)
}

func (r *reader) output(v value, request *chat.Request) {
	o := r.object(v)
	effort := o.take("effort")
	switch word := r.word(effort, "low", "medium", "high", "xhigh", "max"); {
	case word == "":
	case request.Reasoning.Effort != "": // thinking is disabled
		r.note(effort.path)
	default:
		request.Reasoning.Effort = word
	}
	if format := o.take("format"); format.raw != nil {
		request.Format = r.format(format)
	}
	r.rest(&o)
}

// format reads a schema that the answer follows to the letter.
func (r *reader) format(v value) chat.Format {
	o := r.object(v)
	r.word(r.must(&o, "type"), "json_schema")
	strict := true
	format := chat.Format{Shape: chat.JSONSchema, Schema: r.json(r.must(&o, "schema")), Strict: &strict}
	r.rest(&o)
	return format
}

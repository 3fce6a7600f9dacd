package proxy

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
	"github.com/weirhq/weir/dataplane/internal/dialect/translate"
	"github.com/weirhq/weir/dataplane/internal/snapshot"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// leg is how an attempt asks its target: where, with which body, and in whose voice the
// caller is told what comes back.
type leg struct {
	url *url.URL
	// body is the caller's, where model is put in, as a JSON string but for forms (nil: as it is), or what
	// the request was turned into. It is held until release, whatever becomes of the exchange.
	body  *buffer
	model []byte
	// limit is what the output is capped at, where the body is the caller's.
	limit dialect.Cap
	// sent is what policy needs of what is sent.
	sent  *dialect.Request
	voice voice
	// frames: its stream comes as AWS's event stream.
	frames bool
	// translation is nil where both sides speak the same dialect.
	translation *translate.Attempt
}

// address finds how a target is asked that the surface reaches.
func (e *exchange) address(target *snapshot.Target) *dialect.Refusal {
	e.leg.release()
	if own := target.URL(e.surface.endpoint); own != nil {
		e.body.users.Add(1)
		e.leg = leg{url: own, body: e.body, model: target.ModelJSON, limit: e.limit(target), sent: &e.request, voice: e.passing()}
		if e.request.Form {
			e.leg.model = []byte(target.Model)
		}
		return nil
	}
	return e.translate(target)
}

func (e *exchange) translate(target *snapshot.Target) *dialect.Refusal {
	begun := time.Now()
	defer func() { e.stages.since(stageTranslate, begun) }()
	way := wayOf(target)
	attempt := translate.New(e.surface.chat(), way.converter(), e.record.RequestId)
	attempt.Cap(e.limit(target).Tokens)
	body, fault := attempt.Request(e.body.bytes, target.Model, e.request.Stream)
	if fault != nil {
		return unwritable(fault)
	}
	lossy := attempt.Lossy()
	if e.route.Strict && len(lossy) > 0 {
		return notTranslatable(lossy)
	}
	sent, _ := way.dialect.Parse(body) // of our own making
	voice := &other{attempt: attempt, exchange: e, way: way}
	e.leg = leg{url: target.URL(way.endpoint(e.request.Stream)), sent: &sent, voice: voice, translation: attempt, frames: way.frames}
	if e.surface.count != nil {
		counting := countings[target.Provider.Dialect]
		body = counting.ask(body, target.Model)
		e.leg.url, e.leg.voice = target.URL(counting.endpoint), counted{voice, counting}
	}
	e.leg.body = &buffer{bytes: body}
	e.leg.body.users.Store(1)
	return nil
}

// limit is what the output of an attempt on the target is capped at.
func (e *exchange) limit(target *snapshot.Target) dialect.Cap {
	return dialect.Cap{Tokens: e.capped, Compatible: target.Provider.Dialect == policyv1.Dialect_DIALECT_OPENAI_COMPATIBLE}
}

// passing is the voice where both sides speak the same dialect.
func (e *exchange) passing() voice {
	if e.surface.array {
		return &elements{same: same{e.dialect}}
	}
	return same{e.dialect}
}

// release gives the body back; further calls do nothing.
func (l *leg) release() {
	if l.body != nil {
		l.body.release()
		l.body = nil
	}
}

func (l *leg) pieces() [][]byte {
	if l.translation != nil {
		return [][]byte{l.body.bytes}
	}
	return l.sent.SpliceCapped(make([][]byte, 0, 5), l.body.bytes, l.model, l.limit)
}

// endpoint is where the request goes: with what may pass of the caller's query where
// both sides speak the same dialect.
func (l *leg) endpoint(query string) *url.URL {
	if query == "" || l.translation != nil {
		return l.url
	}
	with := *l.url
	with.RawQuery = joinQuery(l.url.RawQuery, upstreamQuery(query))
	return &with
}

// joinQuery leaves out of the caller's what the endpoint itself says; Google takes the names
// of how to answer with a dollar sign, too.
func joinQuery(own, callers string) string {
	if own == "" {
		return callers
	}
	said, _ := url.ParseQuery(own)
	for pair := range strings.SplitSeq(callers, "&") {
		name, _, _ := strings.Cut(pair, "=")
		plain, _ := url.QueryUnescape(name) // upstreamQuery left out what can't be read
		if plain != "" && !said.Has(strings.TrimPrefix(plain, "$")) {
			own += "&" + pair
		}
	}
	return own
}

// header is what of the caller's may go to the target.
func (l *leg) header(callers http.Header) http.Header {
	if l.translation == nil {
		return callers
	}
	return translatedHeader(callers)
}

// maxLossyBytes bounds the header that names fields: callers may write many.
const maxLossyBytes = 2 << 10

// listFields names fields for people and in X-Weir-Lossy, in printable ASCII.
func listFields(lossy chat.Lossy) string {
	var list strings.Builder
	for i, field := range lossy {
		if list.Len()+len(field) > maxLossyBytes {
			list.WriteString(",...")
			break
		}
		if i > 0 {
			list.WriteByte(',')
		}
		list.WriteString(printable(field))
	}
	return list.String()
}

func printable(field string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == ',' {
			return '?'
		}
		return r
	}, field)
}

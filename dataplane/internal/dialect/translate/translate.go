// Package translate joins the two converters of one attempt where the caller and the
// upstream speak different dialects: a request on its way out, an answer or the events of
// a stream on their way back, and what they say about usage. It has no opinion about
// content and does no I/O.
package translate

import (
	"cmp"
	"errors"

	"github.com/weirhq/weir/dataplane/internal/dialect"
	"github.com/weirhq/weir/dataplane/internal/dialect/chat"
)

// Attempt is one attempt. Its converters must be new: they remember what they read.
type Attempt struct {
	surface  chat.Surface
	provider chat.Provider
	// id and model are told where the upstream tells none.
	id, model string
	// lossy is of the request, as the surface writes it.
	lossy chat.Lossy
	steps []chat.Event
	most  int64
	// failed: an error ended the stream.
	failed bool
	held   int64
}

// New joins a surface and a provider. The id is the answer's where the upstream gives none.
func New(surface chat.Surface, provider chat.Provider, id string) *Attempt {
	return &Attempt{surface: surface, provider: provider, id: id}
}

// Cap binds the output of the request that is made next to so many tokens of one choice,
// unless its caller wants fewer.
func (a *Attempt) Cap(tokens int64) { a.most = tokens }

// Request turns the caller's body into the upstream's, for its model. The Fault is the
// caller's, also where it says that this provider can't be asked so.
func (a *Attempt) Request(body []byte, model string, stream bool) ([]byte, *chat.Fault) {
	request, fault := a.surface.Request(body)
	if fault != nil {
		return nil, fault
	}
	a.model = model
	request.Model, request.Stream = model, stream
	if a.most > 0 && (request.MaxOutput <= 0 || request.MaxOutput > a.most) {
		request.MaxOutput = a.most
	}
	sent, lossy, err := a.provider.Request(request)
	if err != nil {
		if errors.As(err, &fault) {
			return nil, fault
		}
		return nil, &chat.Fault{Message: "This request can't be written for the provider of this route."}
	}
	a.lossy = request.Lossy
	a.lose(lossy)
	return sent, nil
}

// Lossy names what the request and the answer so far lost, as the surface writes it.
func (a *Attempt) Lossy() chat.Lossy { return a.lossy }

func (a *Attempt) lose(canonical chat.Lossy) {
	for _, field := range a.surface.Names(canonical) {
		a.lossy.Add(field)
	}
}

// Whole turns an answer below 400 into the caller's. An error means that it is none.
func (a *Attempt) Whole(body []byte) ([]byte, dialect.Answer, error) {
	answer, err := a.read(body)
	if err != nil {
		return nil, dialect.Answer{}, err
	}
	written, lossy := a.surface.Answer(answer)
	a.lose(lossy)
	return written, toAnswer(answer.Usage), nil
}

func (a *Attempt) read(body []byte) (*chat.Answer, error) {
	answer, err := a.provider.Answer(body)
	if err != nil {
		return nil, err
	}
	a.lose(answer.Lossy)
	answer.ID, answer.Model = cmp.Or(answer.ID, a.id), cmp.Or(answer.Model, a.model)
	return answer, nil
}

// Replay turns a whole answer into the stream that the caller asked for.
func (a *Attempt) Replay(body []byte) ([]byte, dialect.Answer, error) {
	answer, err := a.read(body)
	if err != nil {
		return nil, dialect.Answer{}, err
	}
	var written []byte
	for _, step := range answer.Events() {
		written = a.surface.Event(written, step)
	}
	return a.surface.Finish(written), toAnswer(answer.Usage), nil
}

// Failure turns an upstream's error into the caller's.
func (a *Attempt) Failure(status int, body []byte) ([]byte, *chat.Failure) {
	failure := a.provider.Failure(status, body)
	return a.surface.Failure(failure), failure
}

func toAnswer(u chat.Usage) dialect.Answer {
	return dialect.Answer{Usage: u.Tokens, UsageSHA256: u.SHA256, ServiceTier: u.ServiceTier, Geo: u.Geo, Unpriced: u.Unpriced}
}

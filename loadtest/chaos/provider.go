package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"sync"

	"github.com/weirhq/weir/dataplane/llmtest"
)

// markerIn finds which request a body belongs to: callers write it into the prompt, which
// reaches the provider in any dialect.
var markerIn = regexp.MustCompile(`chaos-[0-9a-f]{32}`)

// provider is the mock of all providers. It keeps a ledger of its own by request, and does
// to each what the request's caller planned.
type provider struct {
	url  string
	mock *llmtest.Server

	mu    sync.Mutex
	plans map[string][]llmtest.Fault
	bills map[string]*bill
}

// bill is what one request of an application is charged for, over all of its attempts.
type bill struct {
	asked    int // attempts that came
	nano     int64
	unpriced bool
}

type markerKey struct{}

func newProvider(url string) *provider {
	p := &provider{url: url, plans: map[string][]llmtest.Fault{}, bills: map[string]*bill{}}
	p.mock = llmtest.New(llmtest.Options{APIKey: credential, KeepRequests: -1, Billed: p.billed})
	return p
}

// plan says what befalls the attempts of a request, in their order; those after the last
// are answered.
func (p *provider) plan(marker string, faults []llmtest.Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plans[marker] = faults
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // whoever asked is gone, and has asked for nothing
	}
	marker := string(markerIn.Find(body))
	fault, err := json.Marshal(p.came(marker))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	r.Header.Set(llmtest.FaultHeader, string(fault))
	r.Body = io.NopCloser(bytes.NewReader(body))
	p.mock.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), markerKey{}, marker)))
}

// came counts an attempt and returns what befalls it.
func (p *provider) came(marker string) (f llmtest.Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.bill(marker)
	if n := b.asked; n < len(p.plans[marker]) {
		f = p.plans[marker][n]
	}
	b.asked++
	return f
}

func (p *provider) bill(marker string) *bill {
	b, ok := p.bills[marker]
	if !ok {
		b = &bill{}
		p.bills[marker] = b
	}
	return b
}

func (p *provider) billed(ctx context.Context, billed llmtest.Bill) {
	marker, _ := ctx.Value(markerKey{}).(string)
	nano, priced := cost(billed.Model, billed.Tokens)
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.bill(marker)
	b.nano += nano
	b.unpriced = b.unpriced || !priced
}

// of returns what a request is charged for so far.
func (p *provider) of(marker string) bill {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b, ok := p.bills[marker]; ok {
		return *b
	}
	return bill{}
}

func (p *provider) close() { p.mock.Close() }

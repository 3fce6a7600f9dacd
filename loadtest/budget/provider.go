package budget

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/weirhq/weir/dataplane/llmtest"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

const (
	credential    = "the-upstream-credential"
	credentialRef = "env://WEIR_SECRET_MOCK"
	priceListName = "budget"
)

// account is one provider with the one model that is asked there, so that a charge says whose
// it is. Rates are pico-dollars per token, and no round numbers: a cost that is rounded
// twice shows.
type account struct {
	name, path, model string
	dialect           adminv1.Dialect
	input, output     int64
}

var accounts = []account{
	{"first", "/v1", "gpt-4o-mini", adminv1.Dialect_DIALECT_OPENAI, 150_003, 600_011},
	{"second", "/v1", "gpt-4.1-mini", adminv1.Dialect_DIALECT_OPENAI, 150_007, 600_013},
	{"third", "", "claude-haiku-4-5", adminv1.Dialect_DIALECT_ANTHROPIC, 150_011, 600_017},
}

// cost of an answer in nano-dollars, rounded once, half up.
func (a account) cost(t llmtest.Tokens) int64 {
	return ((t.Input+t.CachedInput)*a.input + (t.Output+t.Reasoning)*a.output + 500) / 1000
}

// perMillion writes pico-dollars per token as dollars per million tokens.
func perMillion(pico int64) string { return fmt.Sprintf("%d.%06d", pico/1_000_000, pico%1_000_000) }

// marked is what callers write into their prompts, which reach the provider in any dialect:
// the key and when the request began.
var marked = regexp.MustCompile(`weir-(\d+)-([0-9a-f]+)-`)

func marker(key int, begun time.Time) string {
	return fmt.Sprintf("weir-%d-%x-%016x", key, begun.UnixNano(), rand.Uint64())
}

// provider is the mock of all providers. It answers lengths at random, of which it keeps to
// the cap that it is told, and goes wrong in all the ways that providers do.
type provider struct {
	mock  *llmtest.Server
	truth *truth
	slow  time.Duration

	mu   sync.Mutex
	calm bool
}

type comingKey struct{}

// coming is an attempt as it came.
type coming struct {
	key            int
	begun, arrived time.Time
}

func newProvider(truth *truth, slow time.Duration) *provider {
	p := &provider{truth: truth, slow: slow}
	p.mock = llmtest.New(llmtest.Options{APIKey: credential, KeepRequests: -1, Billed: p.billed})
	return p
}

// behave ends everything that goes wrong; answers are as long as callers allow, at once.
func (p *provider) behave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.calm = true
}

func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	arrived := time.Now()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // whoever asked is gone, and has asked for nothing
	}
	mark := marked.FindSubmatch(body)
	if mark == nil {
		p.mock.ServeHTTP(w, withBody(r, body))
		return
	}
	key, _ := strconv.Atoi(string(mark[1]))
	began, _ := strconv.ParseInt(string(mark[2]), 16, 64)
	fault, err := json.Marshal(p.befalls())
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	r.Header.Set(llmtest.FaultHeader, string(fault))
	ctx := context.WithValue(r.Context(), comingKey{}, coming{key, time.Unix(0, began), arrived})
	p.mock.ServeHTTP(w, withBody(r, body).WithContext(ctx))
}

func withBody(r *http.Request, body []byte) *http.Request {
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r
}

func (p *provider) billed(ctx context.Context, bill llmtest.Bill) {
	of, known := ctx.Value(comingKey{}).(coming)
	for _, a := range accounts {
		if a.model == strings.TrimSpace(bill.Model) && known {
			p.truth.charged(charge{key: of.key, provider: a.name, begun: of.begun, arrived: of.arrived, nano: a.cost(bill.Tokens)})
		}
	}
}

// befalls is what happens to one attempt. The mock keeps to its cap, whatever this says.
func (p *provider) befalls() llmtest.Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.calm {
		return llmtest.Fault{AnswerTokens: 100_000}
	}
	f := llmtest.Fault{
		AnswerTokens: 1 + rand.IntN(160), CachedTokens: rand.IntN(2) * 2, After: rand.IntN(8), Delay: rand.N(2*p.slow) + time.Millisecond,
		IgnoreCancel: rand.IntN(4) == 0, // it goes on, and bills, when the agent is gone
	}
	switch n := rand.IntN(100); {
	case n < 4:
		f.Kind, f.Status = llmtest.Status, []int{429, 500, 503}[rand.IntN(3)]
	case n < 7:
		f.Kind = llmtest.Cut
	case n < 10:
		f.Kind = llmtest.NoUsage
	case n < 12:
		f.Kind = llmtest.ErrorEvent
	case n < 14:
		f.Kind = []llmtest.Kind{llmtest.Reset, llmtest.Empty, llmtest.Malformed, llmtest.NoDone, llmtest.ErrorBody}[rand.IntN(5)]
	}
	return f
}

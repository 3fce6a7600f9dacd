package chaos

import (
	"fmt"

	"github.com/weirhq/weir/dataplane/llmtest"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

const (
	priceListName = "chaos"
	credential    = "the-upstream-credential"
	credentialRef = "env://WEIR_SECRET_MOCK"
)

// rates are pico-dollars per token.
type rates struct{ input, cached, output int64 }

// priceList has no round numbers, so that a cost that is rounded twice, or by the wrong
// bucket, shows.
var priceList = map[string]rates{
	"gpt-4o-mini":            {150_003, 75_007, 600_011},
	"claude-haiku-4-5":       {1_000_019, 100_043, 5_000_003},
	"gemini-2.5-flash":       {300_007, 75_011, 2_500_009},
	"text-embedding-3-small": {20_011, 20_011, 20_011},
}

type account struct {
	name    string
	dialect adminv1.Dialect
	path    string
}

var accounts = []account{
	{"openai", adminv1.Dialect_DIALECT_OPENAI, "/v1"},
	{"anthropic", adminv1.Dialect_DIALECT_ANTHROPIC, ""},
	{"google", adminv1.Dialect_DIALECT_GEMINI, "/v1beta"},
}

type target struct{ provider, model string }

var routeTable = []struct {
	name    string
	targets []target
}{
	{"openai", []target{{"openai", "gpt-4o-mini"}}},
	{"claude", []target{{"anthropic", "claude-haiku-4-5"}}},
	{"gemini", []target{{"google", "gemini-2.5-flash"}}},
	{"either", []target{{"openai", "gpt-4o-mini"}, {"anthropic", "claude-haiku-4-5"}}},
	{"embed", []target{{"openai", "text-embedding-3-small"}}},
}

// perMillion writes pico-dollars per token as dollars per million tokens.
func perMillion(pico int64) string { return fmt.Sprintf("%d.%06d", pico/1_000_000, pico%1_000_000) }

// cost of one answer in nano-dollars, rounded once, half up.
func cost(model string, t llmtest.Tokens) (nano int64, priced bool) {
	p, ok := priceList[model]
	pico := t.Input*p.input + t.CachedInput*p.cached + (t.Output+t.Reasoning)*p.output
	return (pico + 500) / 1000, ok
}

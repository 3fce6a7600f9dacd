package budget

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/deploy/local/engine"
)

func TestMain(m *testing.M) {
	if code, is := engine.Child(os.Args[1:]); is {
		os.Exit(code)
	}
	os.Exit(m.Run())
}

// As short as it may be and still prove something: make loadtest-budget has all of it.
func TestBudgets(t *testing.T) {
	c := Config{For: 12 * time.Second, Agents: 3, Callers: 20, Pause: 400 * time.Millisecond, Answer: 400 * time.Millisecond, Useful: 20, Rest: time.Minute, Dir: t.TempDir()}
	var out strings.Builder
	err := Run(t.Context(), c, &out)
	t.Logf("\n%s", out.String())
	if err != nil {
		t.Error(err)
	}
}

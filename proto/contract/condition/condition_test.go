package condition_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/proto/contract/condition"
)

// request is of a batch job at seven in the morning, Berlin time.
type request struct{}

func (request) Metadata() map[string]string { return map[string]string{"tier": "gold"} }
func (request) Headers() map[string]string  { return map[string]string{"x-team": "hydrology"} }
func (request) Tokens() int64               { return 9000 }
func (request) Stream() bool                { return false }
func (request) Surface() string             { return "chat_completions" }
func (request) User() string                { return "u1" }
func (request) Run() string                 { return "" }
func (request) Key() string                 { return "k" }
func (request) Project() string             { return "p" }
func (request) Now() time.Time              { return time.Date(2026, 11, 27, 6, 0, 0, 0, time.UTC) }

func TestHolds(t *testing.T) {
	for text, want := range map[string]bool{
		`metadata.tier == "gold"`:                     true,
		`"tier" in metadata && metadata.tier == "x"`:  false,
		`headers["x-team"].startsWith("hydro")`:       true,
		`tokens > 8000 && !stream`:                    true,
		`now.getHours("Europe/Berlin") == 7`:          true,
		`now.getDayOfWeek() in [0, 6]`:                false,
		`user.matches("^u[0-9]+$") && run == ""`:      true,
		`surface == "chat_completions" && key == "k"`: true,
		`project == "other"`:                          false,
	} {
		c, err := condition.Compile(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := c.Holds(request{}); got != want || err != nil || c.String() != text {
			t.Errorf("%s is %v: %v", c, got, err)
		}
	}
}

// A zone that is not found is an error, which counts as false: agents on machines without
// zones would pass targets over in silence.
func TestZonesComeAlong(t *testing.T) {
	packages, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(strings.Fields(string(packages)), "time/tzdata") {
		t.Error("conditions depend on the zones of the machine")
	}
}

func TestWhatIsMissingIsAnError(t *testing.T) {
	for _, text := range []string{
		`metadata.colour == "red"`,
		`[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(a, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(b, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(c, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(d, a+b+c+d < 50+tokens))))`,
	} {
		c, err := condition.Compile(text)
		if err != nil {
			t.Fatal(err)
		}
		if holds, err := c.Holds(request{}); holds || err == nil {
			t.Errorf("%s: %v, %v", text, holds, err)
		}
	}
}

func TestCompileSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`metadata.tier == `:                      "character 18",
		`colour == "red"`:                        "undeclared reference to 'colour'",
		`tokens`:                                 "is a int; it must be true or false",
		`user.matches("(")`:                      "invalid matches argument",
		strings.Repeat(" ", 1000) + `tokens > 1`: "at most 1000",
	} {
		if _, err := condition.Compile(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestCheck(t *testing.T) {
	for text, want := range map[string]string{
		`tokens > 1`:                              "",
		`now.getHours("Europe/Berlin") < 8`:       "",
		`now.getHours("+01:00") < 8`:              "",
		`now.getHours() < 8`:                      "",
		`now.getHours(headers["x-zone"]) < 8`:     "",
		`stream && now.getDate("Berlin") == 1`:    `no time zone "Berlin"`,
		`(stream ? now.getHours("CET_") : 1) > 1`: `no time zone "CET_"`,
		`tokens`: "must be true or false",
	} {
		err := condition.Check(text)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func BenchmarkHolds(b *testing.B) {
	c, err := condition.Compile(`metadata.tier == "gold" && tokens > 8000`)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if ok, _ := c.Holds(request{}); !ok {
			b.Fatal("false")
		}
	}
}

package budget

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirhq/weir/dataplane/llmtest"
)

func TestGreatest(t *testing.T) {
	at := func(second int) time.Time { return time.Date(2026, 11, 27, 12, 0, second, 0, time.UTC) }
	lines := []line{
		{quota: "q", starts: at(0), spent: 10, held: 1},
		{quota: "q", starts: at(30), spent: 20, held: 2},
		{quota: "q", starts: at(60), spent: 40, held: 4},
		{quota: "q", subject: "other", starts: at(30), spent: 5},
		{quota: "another", starts: at(30), spent: 1_000},
	}
	for name, test := range map[string]struct {
		window window
		want   map[string]int64
	}{
		"each_by_itself":                   {window{}, map[string]int64{"": 44, "other": 5}},
		"a_minute_that_has_begun_is_apart": {window{rolling: time.Minute}, map[string]int64{"": 66, "other": 5}},
		"all_within_two_minutes":           {window{rolling: 2 * time.Minute}, map[string]int64{"": 77, "other": 5}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := greatest(&purse{id: "q", window: test.window}, lines); !maps.Equal(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestMost(t *testing.T) {
	at := func(second int) time.Time { return time.Date(2026, 11, 27, 12, 0, second, 0, time.UTC) }
	all := []charge{
		{begun: at(10), arrived: at(10), nano: 1},
		{begun: at(50), arrived: at(50), nano: 2},
		{begun: at(59), arrived: at(61), nano: 4}, // of either minute
		{begun: at(65), arrived: at(65), nano: 8},
		{begun: at(190), arrived: at(190), nano: 16},
	}
	for name, test := range map[string]struct {
		window window
		want   int64
	}{
		"for_ever":        {window{}, 31},
		"by_the_minute":   {window{calendar: time.Minute}, 16},
		"rolling_minute":  {window{rolling: time.Minute}, 16},
		"rolling_longer":  {window{rolling: 80 * time.Second}, 16},
		"rolling_3m":      {window{rolling: 3 * time.Minute}, 30},
		"an_hour_has_all": {window{calendar: time.Hour}, 31},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.window.most(all); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

// A balance that is one nano-dollar off is seen, whichever it is.
func TestBalance(t *testing.T) {
	p := &purse{limit: 100}
	good := balance{purse: p, spent: 90, cost: 90, charged: 80, most: 80}
	if why := good.wrong(0); why != "" {
		t.Errorf("good, and %s", why)
	}
	for name, spoil := range map[string]func(*balance){
		"are held":               func(b *balance) { b.held = 1 },
		"are overrun":            func(b *balance) { b.overrun = 1 },
		"the rows cost 90":       func(b *balance) { b.spent = 91 },
		"are spent, the rows":    func(b *balance) { b.spent = 89 },
		"providers charged 91":   func(b *balance) { b.charged = 91 },
		"for one window of 100":  func(b *balance) { b.most = 101 },
		"the rows cost only 90;": func(b *balance) { b.spent, b.charged = 91, 91 },
	} {
		bad := good
		spoil(&bad)
		if why := bad.wrong(0); !strings.Contains(why, name) {
			t.Errorf("want %q, got %q", name, why)
		}
	}
	lost := good
	lost.spent = 60
	if why := lost.wrong(30); why != "" {
		t.Errorf("a restore may lose so much, and %s", why)
	}
}

// What agents say of leases gets lost, comes twice and late; all else passes.
func TestGate(t *testing.T) {
	var leases, others atomic.Int64
	plane := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == leasePath {
			leases.Add(1)
			return
		}
		others.Add(1)
	}))
	defer plane.Close()
	g, err := listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(plane.URL)
	if err != nil {
		t.Fatal(err)
	}
	g.planes = []*door{{url: at}}
	g.faulty.Store(true)
	post := func(path string) bool {
		client := &http.Client{Timeout: 50 * time.Millisecond}
		response, err := client.Post(g.url+path, "application/proto", strings.NewReader("what is held"))
		if err != nil {
			return false
		}
		return response.Body.Close() == nil
	}
	for range 200 {
		post(leasePath)
	}
	for range 20 {
		if !post("/other") {
			t.Error("another call is lost")
		}
	}
	if others.Load() != 20 {
		t.Errorf("%d other calls came", others.Load())
	}
	time.Sleep(4 * time.Second) // what comes late has come
	if err := g.shut(); err != nil {
		t.Error(err)
	}
	want := int64(200)
	for f := lost; f < fates; f++ {
		if g.told[f].Load() == 0 {
			t.Errorf("no %s of 200", fateNames[f])
		}
	}
	want += g.told[doubled].Load() + g.told[again].Load()
	if got := leases.Load(); got != want {
		t.Errorf("%d calls came, want %d", got, want)
	}
}

// What a provider charges is booked where it belongs, and only there.
func TestTruth(t *testing.T) {
	tenant := &tenant{keyIDs: make([]string, keyCount+1)}
	var purses []*purse
	for _, p := range plan(tenant, 1_000_000) {
		p.purse.charged = map[string]int64{}
		purses = append(purses, p.purse)
	}
	truth := newTruth()
	truth.watch(purses)
	truth.charged(charge{key: 1, provider: "second", nano: 5})
	truth.charged(charge{key: usefulKey, provider: "third", nano: 7})
	want := map[string]map[string]int64{
		"organization": {"": 12}, "project-by-hour": {}, "project-by-minute": {"": 5}, "key": {}, "key-rolling": {"": 5},
		"label-rolling": {"": 5}, "label-each": {"gold": 5}, "provider": {"": 5},
	}
	for _, p := range purses {
		if !maps.Equal(p.charged, want[p.name]) {
			t.Errorf("%s has %v, want %v", p.name, p.charged, want[p.name])
		}
	}
	if got := accounts[0].cost(llmtest.Tokens{Input: 3, Output: 1}); got != 1050 { // 450,009 + 600,011 pico-dollars
		t.Errorf("it costs %d", got)
	}
}

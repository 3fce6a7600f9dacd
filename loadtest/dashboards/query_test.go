package dashboards

import (
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/deploy/local/file"
)

// Every fixed query of the console can be asked, with all of its parameters.
func TestQueries(t *testing.T) {
	root, err := file.RepositoryRoot()
	if err != nil {
		t.Fatal(err)
	}
	queries, err := readQueries(root)
	if err != nil {
		t.Fatal(err)
	}
	fixed := 0
	for _, q := range queries {
		asked, err := q.asked(time.Unix(0, 0), time.Now())
		if err != nil {
			t.Error(err)
		}
		if q.ranged != (asked["from"] != "" && asked["to"] != "") {
			t.Errorf("%s: ranged %t with %v", q.name, q.ranged, asked)
		}
		if q.name == "hostile" {
			t.Error("hostile.sql is no query of the console")
		}
		if !strings.Contains(q.name, "/") {
			fixed++
		}
	}
	if fixed < 5 || len(queries)-fixed < 10 {
		t.Errorf("%d queries of the console, %d of the views", fixed, len(queries)-fixed)
	}
}

func TestQuery_unknown_parameter(t *testing.T) {
	if _, err := newQuery("a", "SELECT {what:String}").asked(time.Now(), time.Now()); err == nil {
		t.Error("asked without a value")
	}
}

func TestPercentile(t *testing.T) {
	var sorted []time.Duration
	for i := 1; i <= 20; i++ {
		sorted = append(sorted, time.Duration(i))
	}
	if p50, p95 := percentile(sorted, 50), percentile(sorted, 95); p50 != 10 || p95 != 19 {
		t.Errorf("p50 %d, p95 %d", p50, p95)
	}
	if only := percentile(sorted[:1], 95); only != 1 {
		t.Errorf("of one: %d", only)
	}
}

package report_test

import (
	"strings"
	"testing"

	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/report"
)

// What analysts get wrong is told so that they can mend it: with the name or place that
// is wrong, and nothing of the server's inside.
func TestRun_mistakes_read_well(t *testing.T) {
	h := newHouse(t)
	for sql, want := range map[string]string{
		"SELECT model_name FROM requests":                                        "model_name",
		"SELECT * FROM request":                                                  "request",
		"SELECT model, count() FROM requests":                                    "model",
		"SELECT count( FROM requests":                                            "position",
		"SELECT * FROM requests WHERE started_at > '20 Nov'":                     "2026-11-20 10:00:00",
		"SELECT * FROM requests WHERE model = 5":                                 "type",
		"SELECT sum(model) FROM requests":                                        "String",
		"SELECT avrage(duration_us) FROM requests":                               "avrage",
		"SELECT DATE_TRUNC('dai', started_at) FROM requests":                     "dai",
		"SELECT * FROM requests ORDER BY costs":                                  "costs",
		"SELECT * FROM requests LIMIT -1 BY":                                     "position",
		"SELECT * FROM requests WHERE count() > 5":                               "count()",
		"SELECT route FROM requests GROUP BY model":                              "route",
		"SELECT * FROM requests JOIN attempts":                                   "position",
		"SELECT route, FROM requests WHERE":                                      "position",
		"SELECT `cost_usd FROM requests":                                         "does not end",
		"SELECT \"ok\" FROM requests WHERE outcome = \"ok\"":                     "single quotes",
		"SELECT * FROM requests WHERE started_at > now() - 1 DAY":                "position",
		"SELECT quantile(95)(duration_us) FROM requests":                         "[0..1]",
		"SELECT toDate(started_at, 'Berlin') FROM requests":                      "Berlin",
		"SELECT {route:String}":                                                  "route",
		"SELECT * FROM requests PREWHERE status = 200":                           "WHERE in place",
		"SELECT fuzzQuery('SELECT 1')":                                           "plain functions",
		"SELECT regionToName(toUInt32(1))":                                       "plain functions",
		"SELECT route FROM requests UNION ALL SELECT route, model FROM requests": "column",
	} {
		_, err := h.Run(h.as(t.Context(), 1), sql)
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

func TestRun_mistakes_in_parameters_read_well(t *testing.T) {
	h := newHouse(t)
	for sql, want := range map[string]string{
		"SELECT {since:DateTime64(6)}": "without Z",
		"SELECT {since:UInt8}":         "(code 457)",
		"SELECT {since:Date}":          "2026-11-20T10:00:00Z",
	} {
		_, err := h.Reports.Run(h.as(t.Context(), 1), report.Query{SQL: sql, Parameters: map[string]any{"since": "2026-11-20T10:00:00Z"}})
		if !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "Z or") != strings.Contains(sql, "Time") {
			t.Errorf("%s: %v", sql, err)
		}
	}
}

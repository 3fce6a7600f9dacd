package report_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir/controlplane/internal/report"
)

const reportsPage = "../../../web/src/features/reports/"

var (
	exampleOf   = regexp.MustCompile("(?s)id: \"([a-z0-9-]+)\".*?sql: `(.*?)`")
	parameterOf = regexp.MustCompile(`(?m)^-- @param (\w+) = (.*)$`)
	chartOf     = regexp.MustCompile(`(?m)^-- @chart \w+ x=(\w+) y=([\w,]+)(?: by=(\w+))?$`)
)

// Every example of the console's page of reports runs with the parameters that it begins
// with, finds something, and has the columns that its chart is of.
func TestConsole_examples(t *testing.T) {
	h := newHouse(t)
	h.ask(t, 4)
	text, err := os.ReadFile(reportsPage + "examples.ts")
	if err != nil {
		t.Fatal(err)
	}
	examples := exampleOf.FindAllStringSubmatch(string(text), -1)
	if len(examples) != 12 {
		t.Errorf("%d examples are read, want 12", len(examples))
	}
	for _, example := range examples {
		t.Run(example[1], func(t *testing.T) {
			query := report.Query{SQL: example[2], TimeZone: "Asia/Kathmandu", Parameters: map[string]any{}}
			for _, p := range parameterOf.FindAllStringSubmatch(query.SQL, -1) {
				query.Parameters[p[1]] = p[2]
			}
			result, err := h.Reports.Run(h.as(t.Context(), 4), query)
			if err != nil {
				t.Fatal(err)
			}
			if len(result.Rows) == 0 {
				t.Error("it finds nothing")
			}
			var names []string
			for _, column := range result.Columns {
				names = append(names, column.Name)
			}
			for _, chart := range chartOf.FindAllStringSubmatch(query.SQL, -1) {
				for _, name := range regexp.MustCompile(`\w+`).FindAllString(chart[1]+","+chart[2]+","+chart[3], -1) {
					if !slices.Contains(names, name) {
						t.Errorf("its chart is of %s, which is not among %v", name, names)
					}
				}
			}
		})
	}
}

type described struct {
	Views []struct {
		Name    string
		About   string
		Columns []struct{ Name, Type, About string }
	}
	Functions []struct{ Name, About string }
}

// The console's schema has every view and column as the store has them, each with a sentence.
func TestConsole_schema(t *testing.T) {
	h := newHouse(t)
	schema := readSchema(t)
	var names []string
	for _, view := range schema.Views {
		names = append(names, view.Name)
		result, err := h.Run(h.as(t.Context(), 1), "SELECT * FROM "+view.Name+" LIMIT 0")
		if err != nil {
			t.Fatal(err)
		}
		var said []report.Column
		for _, column := range view.Columns {
			said = append(said, report.Column{Name: column.Name, Type: column.Type})
			if column.About == "" {
				t.Errorf("nothing is said of %s.%s", view.Name, column.Name)
			}
		}
		if diff := cmp.Diff(result.Columns, said); diff != "" {
			t.Errorf("%s (-store +console):\n%s", view.Name, diff)
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff(h.granted(t), names); diff != "" {
		t.Errorf("views (-store +console):\n%s", diff)
	}
}

// granted are the views that a tenant's statement may read.
func (h *house) granted(t *testing.T) []string {
	t.Helper()
	var names []string
	err := h.admin.QueryRow(t.Context(), `SELECT arraySort(groupUniqArray(assumeNotNull(table))) FROM system.grants WHERE user_name = 'report' AND access_type = 'SELECT' AND table IS NOT NULL`).Scan(&names)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// What the console's editor completes is there, and may be used.
func TestConsole_functions(t *testing.T) {
	h := newHouse(t)
	for _, function := range readSchema(t).Functions {
		if err := report.Check("SELECT " + function.Name + "()"); err != nil {
			t.Errorf("%s: %v", function.Name, err)
		}
		var found uint64
		if err := h.admin.QueryRow(t.Context(), "SELECT count() FROM system.functions WHERE name = '"+function.Name+"'").Scan(&found); err != nil {
			t.Fatal(err)
		}
		base := regexp.MustCompile(`If$`).ReplaceAllString(function.Name, "") // combinators are no functions of their own
		if found == 0 && base != function.Name {
			if err := h.admin.QueryRow(t.Context(), "SELECT count() FROM system.functions WHERE is_aggregate AND name = '"+base+"'").Scan(&found); err != nil {
				t.Fatal(err)
			}
		}
		if found == 0 {
			t.Errorf("there is no function %s", function.Name)
		}
	}
}

func readSchema(t *testing.T) described {
	t.Helper()
	text, err := os.ReadFile(reportsPage + "schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema described
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

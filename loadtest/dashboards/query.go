package dashboards

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// query is one of the console's, or one of ours in queries, which stands for what analysts
// ask of the views.
type query struct {
	name, sql string
	// ranged has parameters from and to.
	ranged bool
}

//go:embed queries/*.sql
var ours embed.FS

var parameter = regexp.MustCompile(`\{(\w+):`)

// goldens are the console's fixed queries, as controlplane/internal/report sends them: a
// test there holds them to the code.
const goldens = "controlplane/internal/report/testdata"

// readQueries leaves out statements that are no query of the console: hostile.sql.
func readQueries(root string) (all []query, err error) {
	files, err := filepath.Glob(filepath.Join(root, goldens, "*.sql"))
	if err != nil {
		return nil, err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if name := strings.TrimSuffix(filepath.Base(file), ".sql"); name != "hostile" {
			all = append(all, newQuery(name, string(text)))
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no queries in %s", goldens)
	}
	entries, err := ours.ReadDir("queries")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		text, err := ours.ReadFile("queries/" + entry.Name())
		if err != nil {
			return nil, err
		}
		all = append(all, newQuery("views/"+strings.TrimSuffix(entry.Name(), ".sql"), string(text)))
	}
	return all, nil
}

func newQuery(name, sql string) query {
	asked := parametersOf(sql)
	return query{name: name, sql: sql, ranged: slices.Contains(asked, "from") && slices.Contains(asked, "to")}
}

func parametersOf(sql string) (names []string) {
	for _, match := range parameter.FindAllStringSubmatch(sql, -1) {
		names = append(names, match[1])
	}
	return names
}

const stamp = "2006-01-02 15:04:05.000000"

// values are what the queries' parameters can be, but for those of one request.
func values(from, to time.Time) map[string]string {
	return map[string]string{
		"from": from.Format(stamp), "to": to.Format(stamp), "time_zone": "Europe/Berlin", "size": "100",
		"filter_0": to.Format(stamp), "filter_1": "ffffffff-ffff-ffff-ffff-ffffffffffff",
		"label_1": "team", "top": "10", "groups": "[['fast','search']]",
	}
}

// asked chooses the parameters of one query; it is false where one is unknown here.
func (q query) asked(from, to time.Time) (map[string]string, error) {
	known, out := values(from, to), map[string]string{}
	for _, name := range parametersOf(q.sql) {
		value, ok := known[name]
		if !ok {
			return nil, fmt.Errorf("query %s has a parameter %s that loadtest/dashboards/query.go knows no value for: add one", q.name, name)
		}
		out[name] = value
	}
	return out, nil
}

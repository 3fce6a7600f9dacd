package engine

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/weirhq/weir/deploy/local/file"
)

//go:embed clickhouse/config.xml.tmpl
var configTemplate string

//go:embed clickhouse/users.xml.tmpl
var usersTemplate string

// Access names what the users of one ClickHouse server may see.
//
// The user report_definer owns the public views and sees, in each of Tables, the rows of the organization whose
// id the query's own id begins with, and none without. (Not a setting: SETTINGS in a subquery are applied even under
// readonly=1.) The user report may read Views only. Create the views with "DEFINER = report_definer SQL SECURITY
// DEFINER"; send a query id "<organization>.<unique>", readonly=1, limits, use_query_cache=0 and
// use_query_condition_cache=0 with every query of report.
type Access struct {
	Database string   // default "weir"
	Tables   []string // each has a column organization_id UUID
	Views    []string

	// QueryLog keeps system.query_log, for those who measure.
	QueryLog bool
}

func (a Access) withDefaults() Access {
	if a.Database == "" {
		a.Database = "weir"
	}
	if a.Tables == nil {
		a.Tables = []string{"usage_event", "usage_range", "agent_tail", "usage_correction"}
	}
	if a.Views == nil {
		a.Views = []string{
			"requests", "records", "attempts", "spend_daily", "spend_by_model", "spend_by_label",
			"latency_hourly", "errors_hourly", "cache_savings", "completeness", "arrivals", "corrections",
		}
	}
	return a
}

type configValues struct {
	Access
	Dir                             string
	AdminSHA, ReportSHA, DefinerSHA string
	Filter                          string
}

// tenantFilter yields no row, rather than an error, when the query's id does not begin with one; rows of the nil UUID
// are nobody's. The comparison with a constant keeps the primary key useful.
const tenantFilter = "organization_id = toUUIDOrZero(substring(initialQueryID(), 1, 36)) AND organization_id != toUUIDOrZero('')"

func writeClickHouseConfig(dir string, a Access, admin, report string) error {
	values := configValues{
		Access: a, Dir: dir, Filter: tenantFilter,
		AdminSHA: hexSHA(admin), ReportSHA: hexSHA(report),
		DefinerSHA: hexSHA(file.NewSecret()), // nobody logs in as the definer
	}
	for name, text := range map[string]string{"config.xml": configTemplate, "users.xml": usersTemplate} {
		content, err := render(name, text, values)
		if err != nil {
			return err
		}
		if err := file.Replace(filepath.Join(dir, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func render(name, text string, values configValues) (string, error) {
	t, err := template.New(name).Funcs(template.FuncMap{"xml": escapeXML}).Parse(text)
	if err != nil {
		return "", fmt.Errorf("template of %s: %w", name, err)
	}
	var out strings.Builder
	if err := t.Execute(&out, values); err != nil {
		return "", fmt.Errorf("write %s: %w", name, err)
	}
	return out.String(), nil
}

func escapeXML(s string) (string, error) {
	var out strings.Builder
	err := xml.EscapeText(&out, []byte(s))
	return out.String(), err
}

func hexSHA(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

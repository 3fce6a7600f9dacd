package lookout

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/weirhq/weir/controlplane/internal/alert"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

// late is how many hours before the running one are looked at: usage comes late, by as much as
// anything on its way was away.
const late = 24

// projectsAtOnce are asked for in one query: each takes 80 bytes of its text, of which
// ClickHouse reads 256 KiB at most, and up to 696 hours of its answer.
const projectsAtOnce = 1000

// By hours as rollups have them (docs/sql.md, "What is fast"), and never by started_at.
const (
	spendOfHours = `SELECT organization_id, project_id, toStartOfHour(started_at, 'UTC') AS hour, toInt64(sum(priced_cost_usd) * 1000000000) AS spent
		FROM usage_event WHERE toStartOfHour(started_at, 'UTC') >= toDateTime(%d, 'UTC') AND toStartOfHour(started_at, 'UTC') < toDateTime(%d, 'UTC')%s
		GROUP BY organization_id, project_id, hour`
	onlyMuch = ` HAVING spent > %d`
	onlyOf   = ` AND organization_id IN (%s) AND project_id IN (%s)`
)

// project is one of an organization's.
type project struct{ organization, id uuid.UUID }

// hours are what a project spent, by hours since 1970.
type hours map[int64]int64

// spend finds projects that spent far more than usual in one of the last hours.
func (l *Lookout) spend(ctx context.Context, now time.Time) ([]finding, error) {
	running := now.Unix() / 3600
	much, err := l.hours(ctx, running-late, running+1, nil, fmt.Sprintf(onlyMuch, int64(floor)))
	if err != nil || len(much) == 0 {
		return nil, err
	}
	var found []finding
	for some := range slices.Chunk(slices.Collect(maps.Keys(much)), projectsAtOnce) {
		past, err := l.hours(ctx, running-late-mostWeeks*week, running, some, "")
		if err != nil {
			return nil, err
		}
		for _, p := range some {
			for hour, spent := range much[p] {
				if a, unusual := compare(past[p], hour, spent); unusual {
					a.ProjectID = p.id
					found = append(found, finding{p.organization, eventv1.AlertKind_ALERT_KIND_SPEND_ANOMALY, a.Alert})
				}
			}
		}
	}
	return found, nil
}

// inText are the projects in a query's condition; none: all there are.
func inText(projects []project) string {
	if len(projects) == 0 {
		return ""
	}
	organizations, ids := make([]string, len(projects)), make([]string, len(projects))
	for i, p := range projects {
		organizations[i], ids[i] = "'"+p.organization.String()+"'", "'"+p.id.String()+"'"
	}
	return fmt.Sprintf(onlyOf, strings.Join(organizations, ", "), strings.Join(ids, ", "))
}

// hours asks for spend from one hour until before another, of these projects.
func (l *Lookout) hours(ctx context.Context, from, to int64, of []project, having string) (map[project]hours, error) {
	rows, err := l.ClickHouse.Query(ctx, fmt.Sprintf(spendOfHours, from*3600, to*3600, inText(of))+having)
	if err != nil {
		return nil, fmt.Errorf("ask for spend: %w", err)
	}
	defer rows.Close()
	found := map[project]hours{}
	for rows.Next() {
		var p project
		var hour time.Time
		var spent int64
		if err := rows.Scan(&p.organization, &p.id, &hour, &spent); err != nil {
			return nil, fmt.Errorf("read spend: %w", err)
		}
		if found[p] == nil {
			found[p] = hours{}
		}
		found[p][hour.Unix()/3600] = spent
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read spend: %w", err)
	}
	return found, nil
}

// compare tells whether an hour cost more than is usual. An hour without usage is one that
// cost nothing, where the project was used before it.
func compare(past hours, hour, spent int64) (alert.Anomaly, bool) {
	first := hour
	for used := range past {
		first = min(first, used)
	}
	var before []int64
	for i := int64(1); i <= mostWeeks && hour-i*week >= first; i++ {
		before = append(before, past[hour-i*week])
	}
	if len(before) < leastWeeks {
		return alert.Anomaly{}, false
	}
	median, bound := boundOf(before)
	return alert.Anomaly{
		Hour: time.Unix(hour*3600, 0).UTC(), SpentNanoUSD: spent, UsualNanoUSD: median, BoundNanoUSD: bound, Weeks: len(before),
	}, spent > bound
}

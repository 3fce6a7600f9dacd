package alert_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/controlplane/internal/alert"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
)

var at = time.Date(2026, 11, 27, 10, 0, 0, 0, time.UTC)

func raise(t *testing.T, db *postgres.DB, organization uuid.UUID, a alert.Alert, channels ...uuid.UUID) (raised bool) {
	t.Helper()
	err := db.InOrganization(t.Context(), organization, func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		a.Queue(batch, organization, channels, func(made bool) { raised = made })
		return tx.SendBatch(t.Context(), batch).Close()
	})
	if err != nil {
		t.Fatal(err)
	}
	return raised
}

// must is an alert; its error can only come from what can't be written as JSON.
func must(a alert.Alert, err error) alert.Alert {
	if err != nil {
		panic(err)
	}
	return a
}

func count(t *testing.T, db *postgres.DB, organization uuid.UUID, table string) (n int) {
	t.Helper()
	err := db.InOrganization(t.Context(), organization, func(tx pgx.Tx) error {
		return tx.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// The same is raised once, whenever and by whomever; what differs in anything that it is
// raised for is another one.
func TestRaise(t *testing.T) {
	db := pgtest.Open(t)
	mine, other, channel := uuid.New(), uuid.New(), uuid.New()
	budget, project := uuid.New(), uuid.New()
	base := alert.Threshold{BudgetID: budget, Percent: 80, Window: "w", Subject: "ann"}
	with := func(change func(*alert.Threshold)) alert.Threshold {
		changed := base
		change(&changed)
		return changed
	}
	kinds := []alert.Alert{
		must(base.Alert(mine, at)),
		must(with(func(b *alert.Threshold) { b.BudgetID = project }).Alert(mine, at)),
		must(with(func(b *alert.Threshold) { b.Percent = 90 }).Alert(mine, at)),
		must(with(func(b *alert.Threshold) { b.Window = "v" }).Alert(mine, at)),
		must(with(func(b *alert.Threshold) { b.Subject = "bob" }).Alert(mine, at)),
		must(alert.Anomaly{ProjectID: project, Hour: at}.Alert(mine, at)),
		must(alert.Anomaly{ProjectID: budget, Hour: at}.Alert(mine, at)),
		must(alert.Anomaly{ProjectID: project, Hour: at.Add(time.Hour)}.Alert(mine, at)),
		must(alert.Unpriced{Provider: "p", Model: "m", Day: at}.Alert(mine, at)),
		must(alert.Unpriced{Provider: "p", Model: "n", Day: at}.Alert(mine, at)),
		must(alert.Unpriced{Provider: "q", Model: "m", Day: at}.Alert(mine, at)),
		must(alert.Unpriced{Provider: "p", Model: "m", Day: at.Add(14 * time.Hour)}.Alert(mine, at)),
	}
	for i, a := range kinds {
		if !raise(t, db, mine, a, channel) {
			t.Errorf("%d was not raised", i)
		}
	}
	for _, again := range []alert.Alert{
		must(with(func(b *alert.Threshold) { b.SpentNanoUSD, b.LimitNanoUSD, b.Budget = 7, 8, "renamed" }).Alert(mine, at.Add(time.Hour))),
		must(alert.Anomaly{ProjectID: project, Hour: at, SpentNanoUSD: 7}.Alert(mine, at.Add(time.Hour))),
		must(alert.Unpriced{Provider: "p", Model: "m", Day: at.Add(13 * time.Hour), Requests: 7}.Alert(mine, at.Add(time.Hour))),
	} {
		if raise(t, db, mine, again, channel, uuid.New()) {
			t.Errorf("raised again: %s", again.Body)
		}
	}
	if n, m := count(t, db, mine, "alert"), count(t, db, mine, "alert_delivery"); n != len(kinds) || m != len(kinds) {
		t.Errorf("%d alerts with %d deliveries of %d", n, m, len(kinds))
	}
	if theirs := must(base.Alert(other, at)); theirs.ID == kinds[0].ID || !raise(t, db, other, theirs) {
		t.Error("another organization's is not its own")
	}
}

func TestRaise_bounded(t *testing.T) {
	db := pgtest.Open(t)
	organization := uuid.New()
	many := func(i int) alert.Alert {
		if i%2 == 0 {
			return must(alert.Test{}.Alert(organization, at))
		}
		return must(alert.Threshold{Percent: 80, Window: "w", Subject: fmt.Sprint("user \x01 ", i)}.Alert(organization, at))
	}
	for i := range alert.MostOfMany + 2 {
		if raised := raise(t, db, organization, many(i)); raised != (i < alert.MostOfMany) {
			t.Fatalf("alert %d of many: %t", i, raised)
		}
	}
	for i := range alert.MostADay - alert.MostOfMany + 1 {
		own := alert.Threshold{BudgetID: uuid.New(), Percent: 100, Window: "w"}
		if raised := raise(t, db, organization, must(own.Alert(organization, at))); raised != (i < alert.MostADay-alert.MostOfMany) {
			t.Fatalf("alert %d of all: %t", i, raised)
		}
	}
	for i := range 2 {
		later := must(alert.Test{}.Alert(organization, at.Add(24*time.Hour+time.Duration(i))))
		if !raise(t, db, organization, later) {
			t.Error("nothing is raised a day later")
		}
	}
}

// What a message says can be read again, and has money and counts as strings.
func TestBody(t *testing.T) {
	organization, project := uuid.New(), uuid.New()
	a := must(alert.Anomaly{ProjectID: project, Hour: at, SpentNanoUSD: 1 << 60, UsualNanoUSD: 2, BoundNanoUSD: 3, Weeks: 4}.Alert(organization, at))
	var got map[string]any
	if err := json.Unmarshal([]byte(a.Body), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"type": "spend.anomaly", "timestamp": "2026-11-27T10:00:00Z", "data": map[string]any{
		"organization_id": organization.String(), "alert_id": a.ID.String(), "spend_anomaly": map[string]any{
			"project_id": project.String(), "hour": "2026-11-27T10:00:00Z", "spent_nano_usd": "1152921504606846976", "usual_nano_usd": "2",
			"bound_nano_usd": "3", "weeks": 4.0,
		},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	data, err := a.Data()
	if err != nil || data.Spend == nil || data.Spend.SpentNanoUSD != 1<<60 || data.AlertID != a.ID {
		t.Errorf("read %+v, %v", data, err)
	}
}

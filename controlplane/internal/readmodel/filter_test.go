package readmodel_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/postgres"
	"github.com/weirhq/weir/controlplane/internal/postgres/pgtest"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/migrations"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

var (
	someProjects = []uuid.UUID{uuid.New(), uuid.New()}
	someRoutes   = []uuid.UUID{uuid.New(), uuid.New(), uuid.New()}
	someTexts    = []string{"a", "b", "ab", "aB", "b-a", `"`, `\`, "a*", "é", "%", "_", "'", "$1"}
)

// question is a filter, and its answer for a key as Go would give it.
type question struct {
	text string
	is   func(key.Key) bool
}

// ask makes up a filter, nested at most so deep.
func ask(r *rand.Rand, depth int) question {
	if depth == 0 || r.IntN(3) == 0 {
		return askField(r)
	}
	a, b := ask(r, depth-1), ask(r, depth-1)
	switch r.IntN(3) {
	case 0:
		return question{"(" + a.text + " AND " + b.text + ")", func(k key.Key) bool { return a.is(k) && b.is(k) }}
	case 1:
		return question{"(" + a.text + " OR " + b.text + ")", func(k key.Key) bool { return a.is(k) || b.is(k) }}
	default:
		return question{"(NOT " + a.text + ")", func(k key.Key) bool { return !a.is(k) }}
	}
}

func askField(r *rand.Rand) question {
	text := someTexts[r.IntN(len(someTexts))]
	said := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `*`, `\*`).Replace(text) + `"`
	at := base.Add(time.Duration(r.IntN(5)) * time.Hour)
	moment := `"` + at.Format(time.RFC3339) + `"`
	switch r.IntN(14) {
	case 0:
		return question{"name = " + said, func(k key.Key) bool { return k.Name == text }}
	case 1:
		return question{"name != " + said, func(k key.Key) bool { return k.Name != text }}
	case 2:
		return question{said, func(k key.Key) bool { return holds(k.Name, text) }}
	case 3:
		return question{"name = " + strings.TrimSuffix(said, `"`) + `*"`, func(k key.Key) bool { return strings.HasPrefix(k.Name, text) }}
	case 4:
		return question{"labels.team = " + said, func(k key.Key) bool { v, ok := k.Labels["team"]; return ok && v == text }}
	case 5:
		return question{"labels.team != " + said, func(k key.Key) bool { v, ok := k.Labels["team"]; return !ok || v != text }}
	case 6:
		return question{"labels.team:" + said, func(k key.Key) bool { v, ok := k.Labels["team"]; return ok && holds(v, text) }}
	case 7:
		return question{"labels:team", func(k key.Key) bool { _, ok := k.Labels["team"]; return ok }}
	case 8:
		return question{"expires_at < " + moment, func(k key.Key) bool { return !k.ExpiresAt.IsZero() && k.ExpiresAt.Before(at) }}
	case 9:
		return question{"expires_at >= " + moment, func(k key.Key) bool { return !k.ExpiresAt.IsZero() && !k.ExpiresAt.Before(at) }}
	case 10:
		return question{"expires_at != " + moment, func(k key.Key) bool { return !k.ExpiresAt.Equal(at) }}
	case 11:
		return question{"revoked_at:*", func(k key.Key) bool { return !k.RevokedAt.IsZero() }}
	case 12:
		p := someProjects[r.IntN(len(someProjects))]
		return question{"project_id = " + p.String(), func(k key.Key) bool { return k.ProjectID == p }}
	default:
		p := someRoutes[r.IntN(len(someRoutes))]
		return question{"route_ids:" + p.String(), func(k key.Key) bool { return slices.Contains(k.RouteIDs, p) }}
	}
}

func holds(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

var base = time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)

// strange appends keys with values of all sorts; every fifth is revoked.
func strange(t *testing.T, db *postgres.DB, r *rand.Rand, count int) (organization uuid.UUID, head int64) {
	t.Helper()
	organization = uuid.New()
	var changes []eventlog.Change
	for i := range count {
		id, sum := uuid.New(), random()
		body := &eventv1.KeyCreated{
			ProjectId: someProjects[r.IntN(2)].String(), Sha256: sum[:], Suffix: "abcd", Labels: map[string]string{},
			Name: someTexts[r.IntN(len(someTexts))] + strings.Repeat(someTexts[r.IntN(len(someTexts))], r.IntN(2)),
		}
		if r.IntN(3) > 0 {
			body.ExpiresAt = timestamppb.New(base.Add(time.Duration(r.IntN(5)) * time.Hour))
		}
		if r.IntN(3) > 0 {
			body.Labels["team"] = someTexts[r.IntN(len(someTexts))]
		}
		for _, route := range someRoutes[:r.IntN(3)] {
			body.RouteIds = append(body.RouteIds, route.String())
		}
		changes = append(changes, eventlog.Change{Subject: id, Body: body})
		if i%5 == 0 {
			changes = append(changes, eventlog.Change{Subject: id, Body: &eventv1.KeyRevoked{Reason: "old"}})
		}
	}
	for part := range slices.Chunk(changes, 70) { // each at a time of its own
		recorded, err := pglog.New(db, readmodel.Project).Append(t.Context(), eventlog.Append{
			OrganizationID: organization, Head: head, Changes: part, Actor: "operator",
		})
		if err != nil {
			t.Fatal(err)
		}
		head += int64(len(recorded))
	}
	return organization, head
}

// Every filter selects what Go would, and every order has every row once.
func TestList_filters_and_orders(t *testing.T) {
	db, url := pgtest.OpenURL(t)
	execute(t, url, `DROP INDEX key_name`) // names are few here, and none is unique
	store := readmodel.New(db)
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	organization, head := strange(t, db, r, 300)
	strange(t, db, r, 50) // another's
	orders := []string{"", "created_at", "name desc", "name, created_at desc", "created_at desc, name"}
	for range 150 {
		q, orderBy, asOf := ask(r, 3), orders[r.IntN(len(orders))], int64(0)
		if r.IntN(3) == 0 {
			asOf = 1 + r.Int64N(head)
		}
		name := fmt.Sprintf("%s by %q as of %d", q.text, orderBy, asOf)
		var all []key.Key
		read := func(size int, filterText string) (found []key.Key) {
			err := store.Read(t.Context(), organization, func(v readmodel.View) (err error) {
				v.AsOf = asOf
				found, err = pages(t.Context(), v, filterText, orderBy, size)
				return err
			})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return found
		}
		all = read(1000, "")
		want := slices.DeleteFunc(slices.Clone(all), func(k key.Key) bool { return !q.is(k) })
		slices.SortFunc(want, inOrder(cmp.Or(orderBy, "name")))
		got := read(7, q.text)
		if !slices.EqualFunc(got, want, func(a, b key.Key) bool { return a.ID == b.ID }) {
			t.Fatalf("%s: got %d of %d keys, want %d", name, len(got), len(all), len(want))
		}
	}
}

// inOrder compares keys as Go would; ties go by id, the way of the last field.
func inOrder(orderBy string) func(a, b key.Key) int {
	return func(a, b key.Key) (c int) {
		sign := 1
		for part := range strings.SplitSeq(orderBy, ", ") {
			field, desc := strings.CutSuffix(part, " desc")
			if sign = 1; desc {
				sign = -1
			}
			if c == 0 && field == "name" {
				c = sign * strings.Compare(a.Name, b.Name)
			}
			if c == 0 && field == "created_at" {
				c = sign * a.CreatedAt.Compare(b.CreatedAt)
			}
		}
		return cmp.Or(c, sign*bytes.Compare(a.ID[:], b.ID[:]))
	}
}

func pages(ctx context.Context, v readmodel.View, filterText, orderBy string, size int) (all []key.Key, err error) {
	q := readmodel.Query{Size: size}
	if q.Filter, err = readmodel.Keys.Fields().Parse(filterText); err != nil {
		return nil, err
	}
	if q.Order, err = readmodel.Keys.Fields().ParseOrder(orderBy); err != nil {
		return nil, err
	}
	for {
		found, next, err := readmodel.Keys.List(ctx, v, q)
		if all = append(all, found...); err != nil || next == nil {
			return all, err
		}
		if len(found) != size || len(all) > 1000 {
			return nil, fmt.Errorf("%d keys on a page that is not the last, %d in all", len(found), len(all))
		}
		q.After = *next
	}
}

// Rows of an older schema get the values that a refold gives them.
func TestMigrationFillsColumns(t *testing.T) {
	db, url := pgtest.OpenURL(t)
	s := tell(t, db, "alpha")
	s.addArchived()
	for _, step := range []string{"down", "up"} {
		text, err := migrations.Postgres.ReadFile("postgres/0077_key_lists." + step + ".sql")
		if err != nil {
			t.Fatal(err)
		}
		execute(t, url, string(text))
	}
	rebuilt, err := readmodel.New(db).Rebuild(t.Context(), readmodel.Rebuilding{Organization: s.id})
	if err != nil || rebuilt.Count > 0 {
		t.Errorf("%+v, %v", rebuilt, err)
	}
	if n := count(t, url, `SELECT count(*) FROM key WHERE cardinality(route_ids) = 1 AND expires_at > now()`); n < 3 {
		t.Errorf("%d keys have their values", n)
	}
}

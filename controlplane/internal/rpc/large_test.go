package rpc_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

// Whatever size is asked for, what is large comes in pages of megabytes, without a gap
// and each once.
func TestPagesOfLargeThings(t *testing.T) {
	n := install(t).tenant("alpha")
	target := n.head()
	const many = 60
	sql := "SELECT '" + strings.Repeat("x", 99_000) + "'"
	for i := range many {
		call(t, n.saved.CreateSavedReport, &adminv1.CreateSavedReportRequest{Name: fmt.Sprint("large-", i), Sql: sql})
	}
	whole := &adminv1.Page{Size: 1000}
	fits := func(t *testing.T, answer proto.Message) {
		t.Helper()
		if size := proto.Size(answer); size > readmodel.PageBytes*3/2 {
			t.Errorf("an answer has %d bytes", size)
		}
	}
	// paged counts the ids that a list gives, page by page.
	paged := func(t *testing.T, page func(*adminv1.Page) (ids []string, next string)) {
		t.Helper()
		found, pages := map[string]bool{}, 0
		for token, more := "", true; more; pages++ {
			ids, next := page(&adminv1.Page{Size: whole.Size, Token: token})
			for _, id := range ids {
				if found[id] {
					t.Errorf("%s comes twice", id)
				}
				found[id] = true
			}
			token, more = next, next != ""
		}
		same(t, len(found), many)
		same(t, pages > 1, true)
	}
	t.Run("list", func(t *testing.T) {
		paged(t, func(p *adminv1.Page) (ids []string, next string) {
			answer := call(t, n.saved.ListSavedReports, &adminv1.ListSavedReportsRequest{Page: p, Filter: "name:large"})
			fits(t, answer)
			for _, r := range answer.SavedReports {
				ids = append(ids, r.Id)
			}
			return ids, answer.NextPageToken
		})
	})
	t.Run("events", func(t *testing.T) {
		paged(t, func(p *adminv1.Page) (ids []string, next string) {
			answer := call(t, n.history.ListEvents, &adminv1.ListEventsRequest{Page: p, Match: &adminv1.EventMatch{FirstVersion: target + 1}})
			fits(t, answer)
			for _, e := range answer.Events {
				ids = append(ids, e.Resource.Id)
			}
			return ids, answer.NextPageToken
		})
	})
	t.Run("differences", func(t *testing.T) {
		paged(t, func(p *adminv1.Page) (ids []string, next string) {
			answer := call(t, n.history.Diff, &adminv1.DiffRequest{From: atVersion(target), Page: p})
			fits(t, answer)
			for _, c := range answer.Changes {
				ids = append(ids, c.Resource.Id)
			}
			return ids, answer.NextPageToken
		})
	})
	t.Run("revert", func(t *testing.T) {
		answer := call(t, n.history.Revert, toVersion(target))
		fits(t, answer)
		same(t, answer.Truncated, true)
		same(t, len(n.differences(target, 0, 100)), 0)
	})
}

package rpc_test

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/weirhq/weir/controlplane/internal/audit"
	"github.com/weirhq/weir/controlplane/internal/eventlog"
	"github.com/weirhq/weir/controlplane/internal/rpc"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func (n *tenant) exported(filter *adminv1.EventMatch) (all []*adminv1.ExportEventsResponse) {
	n.t.Helper()
	request := connect.NewRequest(&adminv1.ExportEventsRequest{Match: filter})
	request.Header().Set("Authorization", "Bearer "+n.token)
	stream, err := n.history.ExportEvents(n.t.Context(), request)
	if err != nil {
		n.t.Fatal(err)
	}
	for stream.Receive() {
		all = append(all, stream.Msg())
	}
	if stream.Err() != nil {
		n.t.Fatal(stream.Err())
	}
	return all
}

// download is GET with a token: the status, the headers and the lines of a whole answer.
func (in *installation) download(token, query string) (*http.Response, []string) {
	in.t.Helper()
	answer, lines, err := in.tryDownload(token, query)
	if err != nil {
		in.t.Fatal(err)
	}
	return answer, lines
}

func (in *installation) tryDownload(token, query string) (*http.Response, []string, error) {
	in.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), http.MethodGet, in.server.URL+rpc.ExportPath+query, http.NoBody)
	if err != nil {
		in.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := in.server.Client().Do(request)
	if err != nil {
		in.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	var lines []string
	scanner := bufio.NewScanner(answer.Body)
	for scanner.Scan() {
		lines = append(lines, scanner.Text())
	}
	return answer, lines, scanner.Err()
}

func TestExport(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	t.Run("is_whole_and_in_order", func(t *testing.T) {
		answer, lines := in.download(n.token, "")
		same(t, answer.Header.Get("Content-Type"), "application/x-ndjson")
		same(t, len(lines), int(n.head()))
		for i, line := range lines {
			one := &adminv1.ExportEventsResponse{}
			if err := protojson.Unmarshal([]byte(line), one); err != nil {
				t.Fatal(err)
			}
			same(t, one.Event.Version, int64(i+1))
		}
	})
	t.Run("can_be_held_against_the_audit_chain", func(t *testing.T) {
		answer, _ := in.download(n.token, "?kinds=KeyCreated")
		anchor, err := audit.ParseAnchor(answer.Header.Get("X-Weir-Audit-Anchor"))
		if err != nil {
			t.Fatal(err)
		}
		organization := mustParse(t, n.organization.Id)
		result, err := audit.Verify(t.Context(), in.db, in.ring, organization, audit.Options{Expect: []audit.Anchor{anchor}})
		if err != nil || len(result.Findings) > 0 {
			t.Errorf("the anchor does not fit: %v, %v", result.Findings, err)
		}
		for _, one := range n.exported(nil) {
			e := one.Event
			digest := audit.Digest(eventlog.Event{
				OrganizationID: organization, Version: e.Version, Kind: e.Kind, Subject: mustParse(t, e.Resource.Id), Payload: []byte(one.Stored),
				Actor: strings.TrimSuffix(e.Actor.Kind+":"+e.Actor.Id, ":"), RequestID: e.RequestId, RecordedAt: e.RecordedAt.AsTime(),
				Source: eventlog.Source{Address: e.Address, UserAgent: e.UserAgent},
			})
			same(t, one.Digest, hex.EncodeToString(digest[:]))
		}
	})
	t.Run("takes_filters", func(t *testing.T) {
		_, lines := in.download(n.token, "?kinds=KeyCreated&kinds=RouteCreated&first_version=2")
		same(t, len(lines), 2)
		_, lines = in.download(n.token, "?actor=operator&last_version=3")
		same(t, len(lines), 3)
		_, lines = in.download(n.token, "?before_time=2001-01-01T00:00:00Z")
		same(t, len(lines), 0)
	})
	t.Run("refuses_in_words", func(t *testing.T) {
		viewer := call(t, n.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{ServiceAccountId: n.account.Id, Name: "t"}).Secret
		for _, c := range []struct {
			token, query, want string
			status             int
		}{
			{"weirsa_wrong", "", "unauthenticated", http.StatusUnauthorized},
			{viewer, "", "history.export", http.StatusForbidden},
			{n.token, "?kind=KeyCreated", "kinds", http.StatusBadRequest},
			{n.token, "?kinds=KeyMade", "KeyMade", http.StatusBadRequest},
			{n.token, "?first_version=-1", "first_version", http.StatusBadRequest},
			{n.token, "?actor=a&actor=b", "actor", http.StatusBadRequest},
		} {
			answer, lines := in.download(c.token, c.query)
			body := strings.Join(lines, "\n")
			if answer.StatusCode != c.status || !strings.Contains(body, c.want) || !json.Valid([]byte(body)) {
				t.Errorf("%s: %d %s", c.query, answer.StatusCode, body)
			}
		}
	})
}

// An export that can't go on does not look like one that is done.
func TestExportBreaksOff(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	var operations []*adminv1.Operation
	for i := range 250 {
		operations = append(operations, &adminv1.Operation{Request: &adminv1.Operation_CreateProject{
			CreateProject: &adminv1.CreateProjectRequest{Name: fmt.Sprint("p", i)},
		}})
	}
	call(t, n.batches.Batch, &adminv1.BatchRequest{Operations: operations})
	_, lines := in.download(n.token, "")
	same(t, len(lines), int(n.head()))

	organization := mustParse(t, n.organization.Id)
	err := in.db.InOrganization(t.Context(), organization, func(tx pgx.Tx) error {
		const strange = `INSERT INTO event (organization_id, version, kind, subject, payload, actor, request_id, recorded_at)
			SELECT organization_id, head + 1, 'NotOfThisBuild', organization_id, '{}', 'operator', '', recorded_at FROM organization_head`
		if _, err := tx.Exec(t.Context(), strange); err != nil {
			return err
		}
		_, err := tx.Exec(t.Context(), `UPDATE organization_head SET head = head + 1`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, lines, err = in.tryDownload(n.token, "")
	if !errors.Is(err, io.ErrUnexpectedEOF) || len(lines) == 0 {
		t.Errorf("got %d lines and %v, want a connection that breaks off", len(lines), err)
	}
	answer, _ := in.download(n.token, "?kinds=KeyCreated")
	same(t, answer.StatusCode, http.StatusOK)
}

// An export ends with the authority of its caller, however slowly that reads.
func TestExportEndsWithItsToken(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	for i := range 60 { // more than connections buffer
		call(t, n.saved.CreateSavedReport, &adminv1.CreateSavedReportRequest{Name: fmt.Sprint("r", i), Sql: "SELECT '" + strings.Repeat("x", 99_000) + "'"})
	}
	account := call(t, n.accounts.CreateServiceAccount, &adminv1.CreateServiceAccountRequest{Name: "admin", Role: adminv1.Role_ROLE_ADMIN}).ServiceAccount
	made := call(t, n.accounts.CreateServiceAccountToken, &adminv1.CreateServiceAccountTokenRequest{ServiceAccountId: account.Id, Name: "t"})
	request := connect.NewRequest(&adminv1.ExportEventsRequest{})
	request.Header().Set("Authorization", "Bearer "+made.Secret)
	stream, err := in.as("", connect.WithAcceptCompression("gzip", nil, nil)).history.ExportEvents(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Close() }()
	same(t, stream.Receive(), true)
	call(t, n.accounts.RevokeServiceAccountToken, &adminv1.RevokeServiceAccountTokenRequest{Id: made.Token.Id})
	time.Sleep(2500 * time.Millisecond) // the look at it is 2 s old by then, and the server waits for the connection, not for a clock
	for stream.Receive() {
	}
	same(t, connect.CodeOf(stream.Err()), connect.CodeUnauthenticated)
}

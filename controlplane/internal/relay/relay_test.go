package relay_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/relay"
	"github.com/weirhq/weir/proto/contract/batch"
	"github.com/weirhq/weir/proto/contract/partition"
	usagev1 "github.com/weirhq/weir/proto/gen/weir/usage/v1"
)

func asConnect(err error, as **connect.Error) bool { return errors.As(err, as) }

func TestPush(t *testing.T) {
	w := newWorld(t)
	organization := uuid.New()
	t.Run("the_same_bytes_in_the_agents_partition_in_order", func(t *testing.T) {
		for range 3 {
			a := w.agent(organization, "eu")
			want := [][]byte{a.batch(3), a.batch(1), a.batch(500), a.batch(2)}
			to := partition.Of(a.ID.String(), partitions)
			before := len(w.broker.records(to))
			for _, run := range [][][]byte{want[:3], want[3:]} {
				if n, err := a.push(run...); err != nil || int(n) != len(run) {
					t.Fatalf("accepted %d of %d: %v", n, len(run), err)
				}
			}
			got := w.broker.records(to)[before:]
			same(t, got, want...)
			for _, m := range got {
				if string(m.Key) != a.ID.String() {
					t.Errorf("key %s", m.Key)
				}
			}
		}
	})
	t.Run("more_than_one_kafka_batch_holds", func(t *testing.T) {
		a := w.agent(organization, "eu")
		var want [][]byte
		for range 3 {
			want = append(want, a.signed(t, bytes.Repeat([]byte{1}, 600<<10)))
		}
		if n, err := a.push(want...); err != nil || n != 3 {
			t.Fatalf("accepted %d: %v", n, err)
		}
		got := w.broker.records(partition.Of(a.ID.String(), partitions))
		same(t, got[len(got)-3:], want...)
	})
	t.Run("one_that_no_topic_takes_is_named", func(t *testing.T) {
		a := w.agent(organization, "eu")
		good, large := a.batch(1), a.signed(t, bytes.Repeat([]byte{1}, 2<<20))
		if n, err := a.push(good, large); err != nil || n != 1 {
			t.Fatalf("accepted %d: %v", n, err)
		}
		_, err := a.push(large)
		w.refused("large", err, connect.CodeInvalidArgument, relay.ReasonBatch)
	})
	t.Run("what_is_before_a_bad_one_is_taken", func(t *testing.T) {
		a := w.agent(organization, "eu")
		one, two, bad := a.batch(1), a.batch(1), a.batch(1)
		bad[len(bad)-1] ^= 1
		if n, err := a.push(one, two, bad, a.batch(1)); err != nil || n != 2 {
			t.Fatalf("accepted %d: %v", n, err)
		}
		_, err := a.push(bad, one)
		if said := w.refused("bad", err, connect.CodeInvalidArgument, relay.ReasonBatch); !strings.Contains(said.Message(), "batches[0]") {
			t.Error(said)
		}
	})
}

// signed is a payload of any bytes that the agent did sign.
func (a *agent) signed(t *testing.T, payload []byte) []byte {
	t.Helper()
	a.seq++
	return a.signedAs(t, a, payload)
}

// signedAs signs, with its own key, a header that names another.
func (a *agent) signedAs(t *testing.T, named *agent, payload []byte) []byte {
	t.Helper()
	hash := sha256.Sum256(payload)
	header, err := proto.Marshal(&usagev1.BatchHeader{
		AgentId: named.ID.String(), Boot: boot, FirstSeq: named.seq, LastSeq: named.seq, PayloadSha256: hash[:], PayloadBytes: int64(len(payload)),
	})
	if err != nil {
		t.Fatal(err)
	}
	value, err := batch.Value(&usagev1.SignedBatch{Header: header, Signature: sign(a, header), Payload: payload})
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// Whatever one tenant knows of another, its agents and their batches: it can push nothing
// in its name.
func TestNobodyPushesAsAnother(t *testing.T) {
	w := newWorld(t)
	a, b := w.agent(uuid.New(), "eu"), w.agent(uuid.New(), "eu")
	colleague := w.agent(a.OrganizationID, "eu")
	b.seq++
	stranger := w.agent(uuid.New(), "eu")
	w.registry.mu.Lock()
	delete(w.registry.agents, stranger.ID)
	w.registry.mu.Unlock()
	altered := a.batch(2)
	altered[len(altered)-1] ^= 1
	lies := func(change func(*usagev1.BatchHeader)) []byte {
		m := w.request(a.batch(1))
		header := &usagev1.BatchHeader{}
		if err := proto.Unmarshal(m.Batches[0].Header, header); err != nil {
			t.Fatal(err)
		}
		change(header)
		m.Batches[0].Header, _ = proto.Marshal(header)
		value, _ := batch.Value(m.Batches[0])
		return value
	}
	texts := map[string]string{}
	for name, value := range map[string][]byte{
		"another_tenants_own_batch":     b.batch(2),
		"signed_by_itself_named_other":  a.signedAs(t, b, []byte("x")),
		"signed_by_itself_named_fellow": a.signedAs(t, colleague, []byte("x")),
		"of_nobody":                     stranger.batch(1),
		"altered_payload":               altered,
		"header_with_another_range":     lies(func(h *usagev1.BatchHeader) { h.LastSeq += 7 }),
		"header_with_another_agent":     lies(func(h *usagev1.BatchHeader) { h.AgentId = b.ID.String() }),
		"header_with_no_agent":          lies(func(h *usagev1.BatchHeader) { h.AgentId = "'; --" }),
		"header_in_capitals":            lies(func(h *usagev1.BatchHeader) { h.AgentId = strings.ToUpper(h.AgentId) }),
	} {
		_, err := a.push(value)
		texts[name] = w.refused(name, err, connect.CodeInvalidArgument, relay.ReasonBatch).Message()
	}
	hidden := strings.NewReplacer(b.ID.String(), "ID", stranger.ID.String(), "ID")
	if one, other := hidden.Replace(texts["another_tenants_own_batch"]), hidden.Replace(texts["of_nobody"]); one != other {
		t.Errorf("another tenant's agent is told from nobody: %s; %s", one, other)
	}
	if got := w.broker.all(); len(got) != 0 {
		t.Errorf("%d records in the topic", len(got))
	}
}

func TestWhoMayPush(t *testing.T) {
	w := newWorld(t)
	a := w.agent(uuid.New(), "eu")
	body, err := proto.Marshal(w.request(a.batch(1)))
	if err != nil {
		t.Fatal(err)
	}
	post := func(token string, body []byte) (int, string) {
		t.Helper()
		request, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, w.url+rpc, bytes.NewReader(body))
		request.Header.Set("Content-Type", "application/proto")
		request.Header.Set("Authorization", "Bearer "+token)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		_, _ = io.Copy(io.Discard, answer.Body)
		return answer.StatusCode, answer.Header.Get(fleet.ReasonHeader)
	}
	expect := func(name string, status int, reason string, gotStatus int, gotReason string) {
		t.Helper()
		if gotStatus != status || gotReason != reason {
			t.Errorf("%s: %d %s, want %d %s", name, gotStatus, gotReason, status, reason)
		}
	}
	token := a.token(body)
	status, reason := post(token, body)
	expect("good", http.StatusOK, "", status, reason)
	status, reason = post(token, body)
	expect("replayed_as_it_was", http.StatusOK, "", status, reason)
	if got := w.broker.all(); len(got) != 2 || !bytes.Equal(got[0].Value, got[1].Value) {
		t.Errorf("%d records: a replay is the same bytes again, which ingest drops", len(got))
	}
	other, _ := proto.Marshal(w.request(a.batch(1)))
	status, reason = post(token, other)
	expect("a_token_seen_with_another_body", http.StatusUnauthorized, "token_body", status, reason)
	status, reason = post("", body)
	expect("nobody", http.StatusUnauthorized, "token_missing", status, reason)
	large := make([]byte, 5<<20)
	status, reason = post(a.token(large), large)
	expect("oversized", http.StatusRequestEntityTooLarge, "body_too_large", status, reason)
	many := w.request(a.batch(1))
	for range 16 {
		many.Batches = append(many.Batches, many.Batches[0])
	}
	_, err = a.send(t.Context(), many)
	w.refused("too_many", err, connect.CodeInvalidArgument, "")

	away := w.agent(a.OrganizationID, "us")
	_, err = away.push(away.batch(1))
	if said := w.refused("other region", err, connect.CodeFailedPrecondition, "other_region"); !strings.Contains(said.Message(), `is in region "us"`) || !strings.Contains(said.Message(), "WEIR_RELAY_URL") {
		t.Error(said)
	}
	revoked := w.agent(a.OrganizationID, "eu")
	w.revoke(revoked)
	_, err = revoked.push(revoked.batch(1))
	w.refused("revoked", err, connect.CodeUnauthenticated, "agent_revoked")
	if got := w.broker.all(); len(got) != 2 {
		t.Errorf("%d records in the topic, want the first two", len(got))
	}
}

// The batches that an agent's folder had of those before it are passed on, as ingest takes
// them: also of a revoked one, never of another region.
func TestFormerAgents(t *testing.T) {
	w := newWorld(t)
	a := w.agent(uuid.New(), "eu")
	former, revoked, elsewhere := w.agent(a.OrganizationID, "eu"), w.agent(a.OrganizationID, "eu"), w.agent(a.OrganizationID, "us")
	w.revoke(revoked)
	values := [][]byte{former.batch(2), revoked.batch(1), former.batch(1), a.batch(3)}
	if n, err := a.push(values...); err != nil || n != 4 {
		t.Fatalf("accepted %d: %v", n, err)
	}
	for i, of := range []*agent{former, revoked, former, a} {
		found := false
		for _, m := range w.broker.records(partition.Of(of.ID.String(), partitions)) {
			found = found || bytes.Equal(m.Value, values[i]) && string(m.Key) == of.ID.String()
		}
		if !found {
			t.Errorf("batch %d is not in its agent's partition", i)
		}
	}
	_, err := a.push(elsewhere.batch(1))
	w.refused("former agent of another region", err, connect.CodeInvalidArgument, relay.ReasonBatch)

	unknown := w.agent(a.OrganizationID, "eu")
	w.registry.mu.Lock()
	w.registry.down = errors.New("no store")
	w.registry.mu.Unlock()
	_, err = a.push(unknown.batch(1))
	if said := w.refused("no registry", err, connect.CodeUnavailable, "store_unavailable"); seconds(said) != "1" {
		t.Errorf("Retry-After %q", seconds(said))
	}
}

// A body is not waited for before it is known whose it is.
func TestStrangersTakeNoMemory(t *testing.T) {
	w := newWorld(t)
	c, err := net.Dial("tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(5 * time.Second))
	_, _ = io.WriteString(c, "POST "+rpc+" HTTP/1.1\r\nHost: x\r\nContent-Type: application/proto\r\nAuthorization: Bearer x.y.z\r\nContent-Length: 4194304\r\n\r\n")
	answer := make([]byte, 12)
	if _, err := io.ReadFull(c, answer); err != nil || string(answer) != "HTTP/1.1 401" {
		t.Errorf("%q, %v", answer, err)
	}
}

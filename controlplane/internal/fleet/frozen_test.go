package fleet_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/proto/contract/agentjwt"
	"github.com/weirhq/weir/proto/contract/digest"
	"github.com/weirhq/weir/proto/contract/frozen"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// oldAgent is of capability 3 (2026-11-26): it reads what comes as that one did.
type oldAgent struct {
	*agent
	t      *testing.T
	wire   frozen.Wire
	stream io.Reader
}

func (s *server) oldAgent(t *testing.T) *oldAgent {
	t.Helper()
	wire, err := frozen.Capability3()
	if err != nil {
		t.Fatal(err)
	}
	a := &oldAgent{agent: s.enrol(t), t: t, wire: wire}
	body := a.encode("weir.agent.v1.WatchRequest", &agentv1.WatchRequest{Capability: 3})
	envelope := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body))), body...)
	a.stream = a.send(agentv1connect.AgentServiceWatchProcedure, "application/connect+proto", "", envelope)
	return a
}

// encode makes a request of fields that the agent of that day knows.
func (a *oldAgent) encode(name string, m proto.Message) []byte {
	a.t.Helper()
	body, err := proto.Marshal(m)
	if err != nil {
		a.t.Fatal(err)
	}
	if read, err := a.wire.Decode(name, body); err != nil || len(read.Unknown()) > 0 {
		a.t.Fatalf("%s is not of that day: %v, %v", name, read.Unknown(), err)
	}
	return body
}

func (a *oldAgent) send(rpc, contentType, bodyHash string, body []byte) io.Reader {
	a.t.Helper()
	request, err := http.NewRequest(http.MethodPost, a.url+rpc, bytes.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Authorization", "Bearer "+a.sign(a.t, a.claims(rpc, bodyHash)))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { answer.Body.Close() })
	if answer.StatusCode != http.StatusOK {
		a.t.Fatalf("%s: status %d", rpc, answer.StatusCode)
	}
	return answer.Body
}

// until reads messages up to the first that has a field.
func (a *oldAgent) until(field string) frozen.Message {
	a.t.Helper()
	for {
		head := make([]byte, 5)
		if _, err := io.ReadFull(a.stream, head); err != nil {
			a.t.Fatal(err)
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:]))
		if _, err := io.ReadFull(a.stream, body); err != nil {
			a.t.Fatal(err)
		}
		m, err := a.wire.Decode("weir.agent.v1.WatchResponse", body)
		if err != nil {
			a.t.Fatal(err)
		}
		if m.Has(field) {
			return m
		}
	}
}

// release checks the root as every agent does, and returns the header.
func (a *oldAgent) release(m frozen.Message) frozen.Message {
	a.t.Helper()
	header, err := a.wire.Decode("weir.policy.v1.Release", m.Field("snapshot", "release", "release").Bytes())
	if err != nil {
		a.t.Fatal(err)
	}
	var all []digest.Resource
	resources := m.Field("snapshot", "resources").List()
	for i := range resources.Len() {
		r := resources.Get(i).Message()
		fields := r.Descriptor().Fields()
		all = append(all, digest.Of(r.Get(fields.ByName("kind")).String(), r.Get(fields.ByName("id")).String(), r.Get(fields.ByName("body")).Bytes()))
	}
	if root := digest.Root(all); !bytes.Equal(root[:], header.Field("root").Bytes()) || header.Field("resource_count").Int() != int64(len(all)) {
		a.t.Errorf("what came is not the release's: %d resources, it counts %d", len(all), header.Field("resource_count").Int())
	}
	return header
}

// An agent that is a step older gets what it can read, and is told what it can't serve.
func TestWithAnAgentOfCapability3(t *testing.T) {
	s := serve(t, fleet.Timing{Flush: 10 * time.Millisecond, Heartbeat: 50 * time.Millisecond})
	a := s.oldAgent(t)
	first := a.until("snapshot")
	header := a.release(first)
	if len(first.Unknown()) > 0 || len(header.Unknown()) > 0 || header.Field("minimum_capability").Int() > 3 {
		t.Errorf("it does not know %v %v; it needs capability %d", first.Unknown(), header.Unknown(), header.Field("minimum_capability").Int())
	}
	resources := first.Field("snapshot", "resources").List()
	for i := range resources.Len() {
		r := resources.Get(i).Message()
		kind := r.Get(r.Descriptor().Fields().ByName("kind")).String()
		name := map[string]string{"gateway": "Gateway", "provider": "Provider", "route": "Route", "key": "Key", "price_book": "PriceBook"}[kind]
		body, err := a.wire.Decode("weir.policy.v1."+name, r.Get(r.Descriptor().Fields().ByName("body")).Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if kind == "gateway" { // it passes over what usage may hold, as an organization begins: docs/usage.md
			m := body.ProtoReflect()
			m.SetUnknown(without(t, m.GetUnknown(), "end_users", "labels"))
		}
		if len(body.Unknown()) > 0 {
			t.Errorf("resource of kind %s: it does not know %v", kind, body.Unknown())
		}
	}
	if beat := a.until("heartbeat"); len(beat.Unknown()) > 0 {
		t.Errorf("heartbeat: it does not know %v", beat.Unknown())
	}

	version := s.world.Revoke("first")
	set, err := a.wire.Decode("weir.policy.v1.Revocations", a.until("revocations").Field("revocations", "revocations").Bytes())
	if err != nil || set.Field("version").Int() != version || set.Field("revocations").List().Len() != 1 || len(set.Unknown()) > 0 {
		t.Errorf("revocations %v, %v", set, err)
	}

	report := a.encode("weir.agent.v1.ReportRequest", &agentv1.ReportRequest{
		Position: &agentv1.PolicyPosition{Epoch: header.Field("epoch").Int(), Version: 1}, Version: "0.3", SpoolOldestMs: 1,
		Outcome: agentv1.ReportRequest_OUTCOME_APPLIED, Tails: []*agentv1.BootTail{{Boot: "b", LastSeq: 4}},
	})
	answer, err := io.ReadAll(a.send(agentv1connect.AgentServiceReportProcedure, "application/proto", agentjwt.HashBody(report), report))
	if err != nil {
		t.Fatal(err)
	}
	if m, err := a.wire.Decode("weir.agent.v1.ReportResponse", answer); err != nil || !m.Has("server_time") || len(m.Unknown()) > 0 {
		t.Errorf("answer to a report %v, %v", m, err)
	}

	s.world.Change(func(state *policy.State) { state.Gateway.AllowedRegions = []string{"elsewhere"} })
	for {
		header := a.release(a.until("snapshot"))
		if header.Field("minimum_capability").Int() == 4 {
			break // it says so, and serves the one before on
		}
	}
	s.stop()
	if got := s.world.LastReports()[uuid.MustParse(a.id)]; got.Status.Capability != 0 || got.Tails["b"].LastSeq != 4 || got.Status.Version != "0.3" {
		t.Errorf("reported %+v", got)
	}
}

// without takes fields of today's gateway out of what an older one does not know.
func without(t *testing.T, unknown []byte, names ...protoreflect.Name) (left []byte) {
	t.Helper()
	for len(unknown) > 0 {
		number, _, size := protowire.ConsumeField(unknown)
		if size < 0 {
			t.Fatal(protowire.ParseError(size))
		}
		field := (&policyv1.Gateway{}).ProtoReflect().Descriptor().Fields().ByNumber(number)
		if field == nil || !slices.Contains(names, field.Name()) {
			left = append(left, unknown[:size]...)
		}
		unknown = unknown[size:]
	}
	return left
}

package control_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/weirhq/weir/dataplane/internal/snapshot"
	"github.com/weirhq/weir/proto/contract/frozen"
	"github.com/weirhq/weir/proto/gen/weir/agent/v1/agentv1connect"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// oldControlPlane answers with the bytes that one of capability 3 (2026-11-26) sent,
// and reads what comes as that one did.
func oldControlPlane(t *testing.T) (url string, reports <-chan frozen.Message) {
	t.Helper()
	wire, err := frozen.Capability3()
	if err != nil {
		t.Fatal(err)
	}
	stored := func(name string) []byte { return read(t, filepath.Join("testdata", "capability-3", name+".binpb")) }
	unary := func(request, answer string, seen chan<- frozen.Message) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			m, err := wire.Decode(request, body)
			if err != nil {
				t.Error(err)
			}
			select {
			case seen <- m:
			default:
			}
			w.Header().Set("Content-Type", "application/proto")
			_, _ = w.Write(stored(answer))
		}
	}
	watch := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if m, err := wire.Decode("weir.agent.v1.WatchRequest", body[5:]); err != nil || m.Field("capability").Int() < 3 {
			t.Errorf("watch request %v, %v", m, err)
		}
		w.Header().Set("Content-Type", "application/connect+proto")
		_, _ = w.Write(stored("watch"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	seen := make(chan frozen.Message, 1000)
	mux := http.NewServeMux()
	mux.HandleFunc(agentv1connect.AgentServiceEnrollProcedure, unary("weir.agent.v1.EnrollRequest", "enroll", nil))
	mux.HandleFunc(agentv1connect.AgentServiceReportProcedure, unary("weir.agent.v1.ReportRequest", "report", seen))
	mux.HandleFunc(agentv1connect.AgentServiceWatchProcedure, watch)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL, seen
}

// A control plane that was rolled back, or not upgraded yet, serves agents of today.
func TestWithAControlPlaneOfCapability3(t *testing.T) {
	url, reports := oldControlPlane(t)
	g, dir := &gate{}, t.TempDir()
	client, stop := run(t, g.config(url, dir))
	eventually(t, "its newest policy is served", func() bool { p := g.now(); return p != nil && p.Version() == 4 })
	g.refuses(t, "first")
	g.refuses(t, "before")
	if s := g.standing("second"); s != snapshot.Good || g.now().Route("chat") == nil || len(g.now().Route("chat").Targets) != 2 {
		t.Errorf("a good key stands at %v, route %+v", s, g.now().Route("chat"))
	}
	eventually(t, "it is confirmed", func() bool { return !client.Freshness().IsZero() })
	eventually(t, "what is reported says so in the words of that day", func() bool {
		m := <-reports
		return m.Field("position", "version").Int() == 4 && m.Field("position", "revocation_version").Int() == 4 &&
			m.Field("outcome").Enum() == 1 && m.Has("tails") && m.Has("version") && m.Has("spool_oldest_ms")
	})
	stop()
	again := &gate{}
	_, stop = run(t, again.config("http://127.0.0.1:1", dir))
	defer stop()
	if p := again.now(); p == nil || p.Version() != 4 {
		t.Error("it is not served after a restart")
	}
}

// A later control plane's kinds and fields are kept to the byte: the root is over them.
func TestWhatIsNotKnownIsKept(t *testing.T) {
	f, o := newFleetOfOne(t), newOrganization()
	o.add("k")
	d := o.release()
	later := append(encode(&policyv1.Key{Id: "id-k", ProjectId: "p", Sha256: hashOf("k")}), 0xfa, 0x3f, 4, 'm', 'o', 'r', 'e') // field 1023
	for _, r := range d.resources {
		if r.GetKind() == "key" {
			r.Body = later
		}
	}
	unknown := &policyv1.Resource{Kind: "guardrail", Id: "x", Body: []byte("anything at all")}
	unknown.ProtoReflect().SetUnknown([]byte{0xfa, 0x3f, 4, 'b', 'e', 's', 'i'})
	d.resources = append(d.resources, unknown)
	d.header.ResourceCount, d.header.Root = int32(len(d.resources)), rootOf(d.resources)
	f.serve(d)
	eventually(t, "the kind is reported", func() bool {
		kinds := (<-f.liar.reports).GetIgnoredKinds()
		return len(kinds) == 1 && kinds[0] == "guardrail"
	})
	f.stop()
	slot := read(t, filepath.Join(f.dir, "policy", f.newest()))
	for _, kept := range [][]byte{later, []byte("anything at all"), unknown.ProtoReflect().GetUnknown()} {
		if !bytes.Contains(slot, kept) {
			t.Errorf("%q is not in the slot", kept)
		}
	}
	if g := f.offline(); g.now().Version() != d.header.GetVersion() || g.standing("k") != snapshot.Good {
		t.Errorf("version %d is served", g.now().Version())
	}

	t.Run("through_a_delta", func(t *testing.T) {
		f.start()
		o.add("k2")
		next := o.release()
		next.resources = append(next.resources, unknown)
		for _, r := range next.resources {
			if r.GetKind() == "key" && r.GetId() == "id-k" {
				r.Body = later
			}
		}
		next.header.ResourceCount, next.header.Root = int32(len(next.resources)), rootOf(next.resources)
		delta := f.liar.delta(d, next)
		for _, r := range delta.GetChanged() {
			if r.GetId() == "id-k" || r.GetKind() == "guardrail" {
				t.Fatalf("%s %s is sent again", r.GetKind(), r.GetId())
			}
		}
		eventually(t, "the delta is served", func() bool {
			f.liar.again(func() { f.liar.sendDelta(delta) })
			return f.gate.now().Version() == next.header.GetVersion()
		})
		f.stop()
		slot := read(t, filepath.Join(f.dir, "policy", f.newest()))
		for _, kept := range [][]byte{later, []byte("anything at all"), unknown.ProtoReflect().GetUnknown()} {
			if !bytes.Contains(slot, kept) {
				t.Errorf("%q is not in the slot", kept)
			}
		}
	})
}

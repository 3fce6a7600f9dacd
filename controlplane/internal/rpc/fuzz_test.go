package rpc_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/weirhq/weir/controlplane/internal/audit"
	"github.com/weirhq/weir/controlplane/internal/clickhouse/chtest"
	"github.com/weirhq/weir/controlplane/internal/openapi/openapitest"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	"github.com/weirhq/weir/controlplane/internal/rpc"
)

// fuzzer calls as one caller. What it sends depends on its dice, on what it was
// answered, and on what the other tenant has by then.
type fuzzer struct {
	*dice
	in      *installation
	t       *testing.T
	token   string
	methods []protoreflect.MethodDescriptor
	schemas openapitest.Schemas
	// calls and fine count by method; refusal is the last that one gave.
	calls, fine map[string]int
	refusal     map[string]string
}

// Two tenants and the operator call everything at once with what is right and what
// is wrong. Nothing breaks, nobody sees the other, and the log stays whole.
// WEIR_FUZZ_TIME makes it longer, WEIR_FUZZ_SEED makes it another.
func TestRandomCalls(t *testing.T) {
	long, err := time.ParseDuration(fromEnvironment("WEIR_FUZZ_TIME", "12s"))
	if err != nil {
		t.Fatal(err)
	}
	seed, err := strconv.ParseUint(fromEnvironment("WEIR_FUZZ_SEED", "1"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("seed %d", seed)
	in := (&installation{t: t, usage: reportsOf(t, chtest.Shared(t))}).start(rpc.AdminConfig{})
	in.asker.Grace = 10 * time.Millisecond // no agent is connected
	world := newPool("alphacanary", "betacanary")
	tenants := []*tenant{in.tenant("alphacanary"), in.tenant("betacanary")}
	var callers []*fuzzer
	for i, n := range tenants {
		in.enrol(n)
		world.keep(n.ownIDs()...)
		for _, m := range []proto.Message{n.project, n.provider, n.route, n.key, n.gateway, n.account, n.accountToken, n.channel, n.limited(t, onKey(n.key)), n.budgeted(t, onProjectScope(n.project))} {
			world.note(i, m.ProtoReflect())
		}
		for range 2 {
			callers = append(callers, in.fuzzer(t, n.token, world.dice(i, seed+uint64(len(callers)))))
		}
	}
	operator := in.fuzzer(t, operatorToken, world.dice(nobody, seed+99))
	operator.methods = slices.DeleteFunc(operator.methods, func(m protoreflect.MethodDescriptor) bool { return m.Parent().Name() != "OrganizationService" })
	callers = append(callers, operator)
	end := time.Now().Add(long)
	var wait sync.WaitGroup
	for _, f := range callers {
		wait.Go(func() {
			for time.Now().Before(end) && !t.Failed() {
				f.call()
			}
		})
	}
	for _, n := range tenants {
		c := &compiler{in: in, organization: mustParse(t, n.organization.Id), gateway: mustParse(t, n.gateway.Id)}
		wait.Go(func() { c.follow(t, end) })
	}
	wait.Wait()
	if strings.Contains(in.logs.String(), "internal error") {
		t.Error("the log tells of an internal error")
	}
	for _, n := range tenants {
		in.whole(n)
	}
	tell(t, callers)
}

func fromEnvironment(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func (in *installation) fuzzer(t *testing.T, token string, d *dice) *fuzzer {
	return &fuzzer{dice: d, in: in, t: t, token: token, methods: everyMethod(), schemas: openapitest.Compile(t), calls: map[string]int{}, fine: map[string]int{}, refusal: map[string]string{}}
}

// ownIDs are the caller itself, which must not remove itself.
func (n *tenant) ownIDs() []string {
	n.t.Helper()
	rows := n.in.everyRow()
	var ids []string
	for _, row := range slices.Concat(rows["service_account"], rows["service_account_token"]) {
		if !strings.Contains(row, n.account.Id) && strings.Contains(row, n.organization.Id) {
			ids = append(ids, uuids.FindAllString(row, -1)...)
		}
	}
	return ids
}

// everyMethod is what a plain POST can call: all but the streams.
func everyMethod() (all []protoreflect.MethodDescriptor) {
	protoregistry.GlobalFiles.RangeFilesByPackage("weir.admin.v1", func(file protoreflect.FileDescriptor) bool {
		for i := range file.Services().Len() {
			for j := range file.Services().Get(i).Methods().Len() {
				if method := file.Services().Get(i).Methods().Get(j); !method.IsStreamingServer() {
					all = append(all, method)
				}
			}
		}
		return true
	})
	slices.SortFunc(all, func(a, b protoreflect.MethodDescriptor) int {
		return strings.Compare(string(a.FullName()), string(b.FullName()))
	})
	return all
}

var ends = regexp.MustCompile("^(Delete|Remove|Revoke|Erase)")

// call sends one message and looks at the answer.
func (f *fuzzer) call() {
	method := f.methods[f.IntN(len(f.methods))]
	if ends.MatchString(string(method.Name())) && f.IntN(3) > 0 {
		return // or there would soon be nothing left
	}
	message := dynamicpb.NewMessage(method.Input())
	f.hostile = []float64{0, 0, 0.05, 0.3}[f.IntN(4)]
	f.fill(message, 0)
	encoding, body := "json", []byte(nil)
	if f.IntN(2) == 0 {
		body, _ = protojson.Marshal(message) // what has no such form goes as binary
	}
	if body == nil {
		encoding = "proto"
		body, _ = proto.Marshal(message) // what is no UTF-8 goes as what there is of it
	}
	spoilt := f.Float64() < f.hostile
	if spoilt {
		body = f.spoil(encoding, body)
	}
	status, answer := f.send(method, encoding, body)
	if encoding == "json" && !spoilt {
		f.documented(method, status, body, answer)
	}
	name := string(method.Parent().Name()) + "." + string(method.Name())
	f.calls[name]++
	switch {
	case status >= http.StatusInternalServerError && !bytes.Contains(answer, []byte(`_unimplemented"`)), bytes.Contains(answer, []byte("internal error (reference")), bytes.Contains(answer, []byte(`"code":"internal"`)):
		f.t.Errorf("%s by %d: status %d: %.500q; sent as %s: %.2000q", name, f.tenant, status, answer, encoding, body)
	case status == http.StatusOK:
		f.fine[name]++
		f.learn(method.Output(), encoding, answer)
	case f.hostile == 0:
		f.refusal[name] = fmt.Sprintf("%.200s", answer)
	}
	if leaked := f.leaked(body, answer); leaked != "" {
		f.t.Errorf("%s by %d: the answer has %s, of the other tenant: %.2000q; sent as %s: %.2000q", name, f.tenant, leaked, answer, encoding, body)
	}
}

func (f *fuzzer) send(method protoreflect.MethodDescriptor, encoding string, body []byte) (status int, answer []byte) {
	address := f.in.server.URL + "/" + string(method.Parent().FullName()) + "/" + string(method.Name())
	request, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, address, bytes.NewReader(body))
	options, _ := method.Options().(*descriptorpb.MethodOptions)
	if options.GetIdempotencyLevel() == descriptorpb.MethodOptions_NO_SIDE_EFFECTS && len(body) < 4000 && f.IntN(8) == 0 {
		query := url.Values{"connect": {"v1"}, "encoding": {encoding}, "base64": {"1"}, "message": {base64.RawURLEncoding.EncodeToString(body)}}
		request, err = http.NewRequestWithContext(f.t.Context(), http.MethodGet, address+"?"+query.Encode(), http.NoBody)
	}
	if err != nil {
		f.t.Error(err)
		return 0, nil
	}
	if request.Method == http.MethodPost {
		request.Header.Set("Content-Type", "application/"+encoding)
	}
	switch f.IntN(40) {
	case 0:
	case 1:
		request.Header.Set("Authorization", "Bearer "+url.QueryEscape(f.text()))
	default:
		request.Header.Set("Authorization", "Bearer "+f.token)
	}
	response, err := f.in.server.Client().Do(request)
	if err != nil {
		f.t.Errorf("%s: %v", method.Name(), err)
		return 0, nil
	}
	defer response.Body.Close()
	if answer, err = io.ReadAll(response.Body); err != nil {
		f.t.Errorf("%s: %v", method.Name(), err)
	}
	return response.StatusCode, answer
}

// whole tells that a tenant's log is dense and chained, and its read models are
// what it adds up to.
func (in *installation) whole(n *tenant) {
	in.t.Helper()
	id := mustParse(in.t, n.organization.Id)
	rebuilt, err := in.store.Rebuild(in.t.Context(), readmodel.Rebuilding{Organization: id})
	if err != nil || rebuilt.Count > 0 {
		in.t.Errorf("%s: %d read models differ: %v, %v", n.organization.Name, rebuilt.Count, rebuilt.Differences, err)
	}
	verified, err := audit.Verify(in.t.Context(), in.db, in.ring, id, audit.Options{})
	if err != nil || len(verified.Findings) > 0 || verified.Head != rebuilt.Events {
		in.t.Errorf("%s: audit chain of %d: %v, %v", n.organization.Name, verified.Head, verified.Findings, err)
	}
	in.t.Logf("%s has %d events", n.organization.Name, rebuilt.Events)
}

// tell fails where the calls were so wrong that they tell nothing.
// beyondChance are calls that need what no random call has: to be alone in the end, a
// login, a session, a connected agent, usage, names of dimensions.
func beyondChance(name string) bool {
	return strings.HasPrefix(name, "OrganizationService.") || strings.HasPrefix(name, "DiagnosticsService.") || strings.HasPrefix(name, "SessionService.") || strings.HasSuffix(name, "JoinDomain") || name == "ReportService.GetRequest" || name == "ReportService.QueryMetrics"
}

func tell(t *testing.T, callers []*fuzzer) {
	t.Helper()
	calls, fine, refusal := map[string]int{}, map[string]int{}, map[string]string{}
	total, succeeded := 0, 0
	for _, f := range callers {
		for name, n := range f.calls {
			calls[name], total = calls[name]+n, total+n
		}
		for name, n := range f.fine {
			fine[name], succeeded = fine[name]+n, succeeded+n
		}
		maps.Copy(refusal, f.refusal)
	}
	var never []string
	possible := 0
	for _, name := range slices.Sorted(maps.Keys(calls)) {
		if beyondChance(name) {
			continue
		}
		possible++
		if fine[name] == 0 {
			never = append(never, fmt.Sprintf("%s, %d calls: %s", name, calls[name], refusal[name]))
		}
	}
	t.Logf("%d calls of %d methods, %d succeeded; never succeeded: %s", total, len(calls), succeeded, strings.Join(never, "\n"))
	if succeeded < total/10 {
		t.Error("too few calls succeeded")
	}
	if total > 100*len(calls) && len(never) > possible/4 { // chance needs so many
		t.Error("too many methods never succeeded")
	}
}

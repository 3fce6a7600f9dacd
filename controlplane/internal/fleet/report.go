package fleet

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/authn"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
)

const (
	maxReasons     = 20
	maxReasonBytes = 500
	// maxAge of usage in a spool, and of a credential's or target's state, is more than any is.
	maxAge = 10 * 365 * 24 * time.Hour
)

// Report is what an agent said of itself, ready to be stored.
type Report struct {
	OrganizationID uuid.UUID
	AgentID        uuid.UUID
	Status         Status
	// Tails by boot.
	Tails map[string]Tail
	// Receipts by version: sets of revocations that nobody noted yet.
	Receipts map[int64]Receipt
}

// Status is how an agent was when it was last seen.
type Status struct {
	LastSeenAt time.Time
	Version    string
	// The policy it serves.
	PolicyEpoch       int64
	PolicyVersion     int64
	RevocationVersion int64
	// RejectReasons says why it refused the newest policy; empty: it did not.
	RejectReasons []string
	SpoolBytes    int64
	SpoolRecords  int64
	// SpoolOldestAt is when the oldest usage that is not settled was closed into a
	// batch; zero: none waits.
	SpoolOldestAt time.Time
	// Build and Platform of the program; Address of its last report.
	Build, Platform, Address string
	// PoliciesRejected since its start, Requests, and those of them that failed for no
	// fault of the caller.
	PoliciesRejected, Requests, Failures int64
	// Credentials by provider; nil: as before. ReportTable.Credentials reads them.
	Credentials map[string]Credential
	// Targets that its requests tried; nil: as before. ReportTable.Targets reads them.
	Targets *Targets
	// OldestEpoch and OldestVersion are of the older release on its disk; both 0: it has
	// none, or did not say.
	OldestEpoch, OldestVersion int64
	// Capability of its build; 0: it did not say. IgnoredKinds are of resources that it
	// keeps unread.
	Capability   int32
	IgnoredKinds []string

	// The rest is known here, and not reported.

	// LastRejectReasons and LastRejectedAt are of the last refusal, which may be over.
	LastRejectReasons []string
	LastRejectedAt    time.Time
	// ReleasesBehind counts newer releases of its track, up to MaxBehind; BehindSince is
	// when the first of them was made.
	ReleasesBehind int64
	BehindSince    time.Time
	// NeededCapability is of its track's newest release; 0: there is none.
	NeededCapability int32
	// Boots that run now, of those that had requests: of one state folder it is one.
	Boots int64
	// Candidate: a rollout has given it the candidate of its gateway.
	Candidate bool
}

// MaxBehind is where counting newer releases ends.
const MaxBehind = 1000

// Tail is the last usage number that a boot gave out.
type Tail struct {
	LastSeq int64
	// Closed boots give out no more.
	Closed bool
	// Former agents closed batches of the boot that its spool still has; sorted.
	Former []uuid.UUID
}

// Reports stores what agents say. Tails never go back.
type Reports interface {
	Save(ctx context.Context, reports []Report) error
}

// Report implements AgentService. It is stored within a second, together with
// those of other agents; one that is lost is said again in five.
func (h *Handler) Report(ctx context.Context, req *connect.Request[agentv1.ReportRequest]) (*connect.Response[agentv1.ReportResponse], error) {
	agent, ok := AgentFrom(ctx)
	if !ok {
		return nil, connect.NewError(connect.CodeUnauthenticated, errors.New("agent_unknown: no agent is known to be calling"))
	}
	for _, tail := range req.Msg.GetTails() {
		if strings.ContainsRune(tail.GetBoot(), 0) {
			return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("boot: no zero bytes"))
		}
	}
	report := fromProtoReport(agent.OrganizationID, agent.ID, req.Msg)
	report.Status.Address = authn.ClientAddress(req.Peer().Addr, req.Header(), h.TrustedProxies)
	h.receipts.note(&report)
	h.reports.add(report)
	return connect.NewResponse(&agentv1.ReportResponse{ServerTime: timestamppb.Now()}), nil
}

func fromProtoReport(organization, agent uuid.UUID, m *agentv1.ReportRequest) Report {
	now := time.Now()
	r := Report{
		OrganizationID: organization,
		AgentID:        agent,
		Status: Status{
			LastSeenAt:        now,
			Version:           storable(m.GetVersion()),
			PolicyEpoch:       m.GetPosition().GetEpoch(),
			PolicyVersion:     m.GetPosition().GetVersion(),
			RevocationVersion: m.GetPosition().GetRevocationVersion(),
			RejectReasons:     []string{},
			SpoolBytes:        m.GetSpoolBytes(),
			SpoolRecords:      m.GetSpoolRecords(),
			Build:             storable(m.GetBuild()),
			Platform:          storable(m.GetPlatform()),
			PoliciesRejected:  m.GetPoliciesRejected(),
			OldestEpoch:       m.GetOldestStored().GetEpoch(),
			OldestVersion:     m.GetOldestStored().GetVersion(),
			Capability:        m.GetCapability(),
			IgnoredKinds:      []string{},
			Requests:          m.GetRequests(),
			Failures:          m.GetFailures(),
		},
		Receipts: receiptsOf(m, now),
		Tails:    make(map[string]Tail, len(m.GetTails())),
	}
	if age := m.GetSpoolOldestMs(); age > 0 {
		r.Status.SpoolOldestAt = ago(now, age)
	}
	for _, kind := range m.GetIgnoredKinds() {
		r.Status.IgnoredKinds = append(r.Status.IgnoredKinds, storable(kind))
	}
	r.Status.Credentials = fromProtoCredentials(m.GetCredentials(), now)
	r.Status.Targets = fromProtoTargets(m.GetTargets(), now)
	for _, reason := range m.GetReasons()[:min(maxReasons, len(m.GetReasons()))] {
		r.Status.RejectReasons = append(r.Status.RejectReasons, storable(reason))
	}
	for _, t := range m.GetTails() {
		r.Tails[t.GetBoot()] = Tail{LastSeq: t.GetLastSeq(), Closed: t.GetClosed(), Former: fromProtoFormer(t.GetFormerAgentIds())}.merge(r.Tails[t.GetBoot()])
	}
	return r
}

// ago is the time some milliseconds before now.
func ago(now time.Time, ms int64) time.Time {
	return now.Add(-min(time.Duration(ms), maxAge/time.Millisecond) * time.Millisecond)
}

// storable is what Postgres takes as text, bounded.
func storable(text string) string {
	text = strings.ReplaceAll(text, "\x00", "")
	return strings.ToValidUTF8(text[:min(maxReasonBytes, len(text))], "")
}

// merge takes an older report in: who closed batches is as the newer one says.
func (t Tail) merge(older Tail) Tail {
	return Tail{LastSeq: max(t.LastSeq, older.LastSeq), Closed: t.Closed || older.Closed, Former: t.Former}
}

// fromProtoFormer leaves out what is no id, of which nothing can be settled.
func fromProtoFormer(ids []string) []uuid.UUID {
	former := []uuid.UUID{}
	for _, text := range ids {
		if id, err := uuid.Parse(text); err == nil {
			former = append(former, id)
		}
	}
	return former
}

// reportBuffer holds the last unsaved report of each agent, and every tail.
type reportBuffer struct {
	mu      sync.Mutex
	pending map[uuid.UUID]Report
}

func newReportBuffer() *reportBuffer {
	return &reportBuffer{pending: make(map[uuid.UUID]Report)}
}

func (b *reportBuffer) add(r Report) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if was, ok := b.pending[r.AgentID]; ok {
		if was.Status.LastSeenAt.After(r.Status.LastSeenAt) {
			was, r = r, was
		}
		for boot, tail := range was.Tails {
			r.Tails[boot] = r.Tails[boot].merge(tail)
		}
		if r.Status.Credentials == nil {
			r.Status.Credentials = was.Status.Credentials
		}
		if r.Status.Targets == nil {
			r.Status.Targets = was.Status.Targets
		}
		for version, receipt := range was.Receipts {
			r.Receipts[version] = receipt
		}
	}
	b.pending[r.AgentID] = r
}

func (b *reportBuffer) take() []Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	reports := make([]Report, 0, len(b.pending))
	for _, r := range b.pending {
		reports = append(reports, r)
	}
	clear(b.pending)
	return reports
}

func (h *Handler) flushReports(ctx context.Context) {
	for sleep(ctx, h.Timing.Flush) {
		h.saveReports(ctx)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	h.saveReports(last)
}

func (h *Handler) saveReports(ctx context.Context) {
	reports := h.reports.take()
	if len(reports) == 0 {
		return
	}
	if err := h.Reports.Save(ctx, reports); err != nil {
		h.Log.Warn("reports of agents are not stored yet", "agents", len(reports), "error", err)
		for _, r := range reports {
			h.reports.add(r)
		}
	}
}

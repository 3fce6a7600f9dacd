package rpc

import (
	"cmp"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/fault"
	"github.com/weirhq/weir/controlplane/internal/fleet"
	"github.com/weirhq/weir/controlplane/internal/gateway"
	"github.com/weirhq/weir/controlplane/internal/key"
	"github.com/weirhq/weir/controlplane/internal/organization"
	"github.com/weirhq/weir/controlplane/internal/project"
	"github.com/weirhq/weir/controlplane/internal/provider"
	"github.com/weirhq/weir/controlplane/internal/serviceaccount"
	"github.com/weirhq/weir/controlplane/internal/share"
	"github.com/weirhq/weir/controlplane/internal/timeouts"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
	eventv1 "github.com/weirhq/weir/proto/gen/weir/event/v1"
)

func toProtoOrganization(o organization.Organization, version int64) *adminv1.Organization {
	return &adminv1.Organization{
		Id: o.ID.String(), Name: o.Name, DisplayName: o.DisplayName, CreatedAt: toTimestamp(o.CreatedAt), Version: version,
		Etag: toETag(o.Version), AllowedRegions: o.AllowedRegions,
		SuspendedAt: toTimestamp(o.SuspendedAt), SuspensionReason: o.SuspensionReason,
		Usage: toProtoUsage(o.Usage.Effective()), Pricing: toProtoPricing(o.Pricing),
	}
}

func toProtoProject(p project.Project) *adminv1.Project {
	return &adminv1.Project{
		Id: p.ID.String(), Name: p.Name, DisplayName: p.DisplayName, CreatedAt: toTimestamp(p.CreatedAt), Etag: toETag(p.Version),
		Weight: p.Weight.Effective(),
	}
}

// projectSettings is what Project and CreateProjectRequest have in common.
type projectSettings interface {
	GetName() string
	GetDisplayName() string
	GetWeight() int32
}

func fromProtoProject(p projectSettings) project.Settings {
	return project.Settings{Name: p.GetName(), DisplayName: p.GetDisplayName(), Weight: share.Weight(p.GetWeight())}
}

func toProtoProvider(p provider.Provider) *adminv1.Provider {
	return &adminv1.Provider{
		Id: p.ID.String(), Name: p.Name, Dialect: adminv1.Dialect(p.Dialect), BaseUrl: p.BaseURL, CredentialRef: p.CredentialRef,
		Region: p.Region, PriceList: p.PriceList, CreatedAt: toTimestamp(p.CreatedAt), Etag: toETag(p.Version),
		Headers: p.Headers, Timeouts: toProtoTimeouts(p.Timeouts), AllowedModels: p.AllowedModels,
		SealedCredentials: convertAll(p.Sealed, toProtoSealed), ApiVersion: p.APIVersion, Queue: toProtoQueue(p.Queue),
	}
}

// toProtoQueue is nil where nothing waits.
func toProtoQueue(q share.Queue) *adminv1.Queue {
	if q == (share.Queue{}) {
		return nil
	}
	return &adminv1.Queue{MaxRequests: q.MaxRequests, MaxWaitMs: q.MaxWaitMS}
}

func toProtoKey(k key.Key) *adminv1.Key {
	converted := &adminv1.Key{
		Id: k.ID.String(), Name: k.Name, ProjectId: k.ProjectID.String(), RouteIds: toTexts(k.RouteIDs), Suffix: k.Suffix,
		ExpiresAt: toTimestamp(k.ExpiresAt), RevokedAt: toTimestamp(k.RevokedAt), CreatedAt: toTimestamp(k.CreatedAt),
		Etag: toETag(k.Version), Labels: k.Labels,
		Weight: k.Weight.Effective(), Priority: cmp.Or(adminv1.Priority(k.Priority), adminv1.Priority_PRIORITY_NORMAL),
	}
	if k.Previous != nil && k.RevokedAt.IsZero() {
		converted.PreviousExpiresAt, converted.PreviousSuffix = toTimestamp(k.Previous.ExpiresAt), k.Previous.Suffix
		if ended, ok := k.PreviousEnded(); ok {
			converted.PreviousEndedAt = toTimestamp(ended.At)
		}
	}
	return converted
}

// keySettings is what Key and CreateKeyRequest have in common.
type keySettings interface {
	GetName() string
	GetRouteIds() []string
	GetExpiresAt() *timestamppb.Timestamp
	GetLabels() map[string]string
	GetWeight() int32
	GetPriority() adminv1.Priority
}

func fromProtoKey(k keySettings) (key.Settings, error) {
	routes, err := parseIDs("route_ids", k.GetRouteIds())
	return key.Settings{
		Name: k.GetName(), RouteIDs: routes, ExpiresAt: fromTimestamp(k.GetExpiresAt()), Labels: k.GetLabels(),
		Weight: share.Weight(k.GetWeight()), Priority: eventv1.Priority(k.GetPriority()),
	}, err
}

func toProtoTimeouts(t timeouts.Timeouts) *adminv1.Timeouts {
	if t == (timeouts.Timeouts{}) {
		return nil
	}
	return &adminv1.Timeouts{
		FirstByte: toDuration(t.FirstByteMS), Idle: toDuration(t.IdleMS), Total: toDuration(t.TotalMS),
		Connect: toDuration(t.ConnectMS), FirstToken: toDuration(t.FirstTokenMS),
	}
}

func fromProtoTimeouts(t *adminv1.Timeouts) timeouts.Timeouts {
	return timeouts.Timeouts{
		FirstByteMS: t.GetFirstByte().AsDuration().Milliseconds(), IdleMS: t.GetIdle().AsDuration().Milliseconds(),
		TotalMS: t.GetTotal().AsDuration().Milliseconds(), ConnectMS: t.GetConnect().AsDuration().Milliseconds(),
		FirstTokenMS: t.GetFirstToken().AsDuration().Milliseconds(),
	}
}

// toDuration leaves 0 out.
func toDuration(ms int64) *durationpb.Duration {
	if ms == 0 {
		return nil
	}
	return durationpb.New(time.Duration(ms) * time.Millisecond)
}

// wholeSeconds of a duration that may be absent: 0.
func wholeSeconds(field string, d *durationpb.Duration) (int64, error) {
	if d.GetNanos() != 0 {
		return 0, fault.Field(field, `want whole seconds, such as "90s"`)
	}
	return d.GetSeconds(), nil
}

func toProtoEnrolmentToken(t gateway.Token) *adminv1.EnrolmentToken {
	return &adminv1.EnrolmentToken{
		Id: t.ID.String(), GatewayId: t.GatewayID.String(), MaxUses: t.MaxUses, Uses: int32(len(t.Agents)),
		ExpiresAt: toTimestamp(t.ExpiresAt), CreatedAt: toTimestamp(t.CreatedAt), Etag: toETag(t.Version),
	}
}

func toProtoGateway(g gateway.Gateway) *adminv1.Gateway {
	converted := &adminv1.Gateway{
		Id: g.ID.String(), Name: g.Name, Region: g.Region, CreatedAt: toTimestamp(g.CreatedAt), Etag: toETag(g.Version),
		PublicKey: g.PublicKey, CredentialMaxAge: toDuration(g.CredentialMaxAge * 1000),
		AllowedRegions: g.AllowedRegions,
		Rollout:        toProtoRolloutSettings(g.Rollout),
		WhenSpoolFull:  cmp.Or(adminv1.SpoolFull(g.WhenSpoolFull), adminv1.SpoolFull_SPOOL_FULL_BLOCK),
	}
	if fingerprint, set := g.KeyFingerprint(); set {
		converted.KeyFingerprint = fingerprint.String()
	}
	return converted
}

// toProtoAgent takes the zero status for an agent that never reported.
func toProtoAgent(a gateway.Agent, s fleet.Status) *adminv1.Agent {
	converted := &adminv1.Agent{
		Id: a.ID.String(), GatewayId: a.GatewayID.String(), Name: a.Name, EnrolledAt: toTimestamp(a.EnrolledAt),
		Etag: toETag(a.Version), RevokedAt: toTimestamp(a.RevokedAt),
	}
	addStatus(converted, s)
	return converted
}

// addStatus puts what an agent reported beside what the log knows of it.
func addStatus(to *adminv1.Agent, s fleet.Status) {
	proto.Merge(to, &adminv1.Agent{
		LastSeenAt: toTimestamp(s.LastSeenAt), Version: s.Version, PolicyEpoch: s.PolicyEpoch, PolicyVersion: s.PolicyVersion,
		RevocationVersion: s.RevocationVersion, RejectReasons: s.RejectReasons, SpoolBytes: s.SpoolBytes, SpoolRecords: s.SpoolRecords,
		Build: s.Build, Platform: s.Platform, Address: s.Address,
		ReleasesBehind: s.ReleasesBehind, BehindSince: toTimestamp(s.BehindSince), PoliciesRejected: s.PoliciesRejected,
		LastRejectReasons: s.LastRejectReasons, LastRejectedAt: toTimestamp(s.LastRejectedAt), SpoolOldestAt: toTimestamp(s.SpoolOldestAt),
		Capability: s.Capability, NeededCapability: s.NeededCapability, IgnoredKinds: s.IgnoredKinds, Notice: noticeOf(s),
		Requests: s.Requests, Failures: s.Failures, Candidate: s.Candidate,
	})
}

func toProtoServiceAccount(a serviceaccount.ServiceAccount, tokens []serviceaccount.Token) *adminv1.ServiceAccount {
	return &adminv1.ServiceAccount{
		Id: a.ID.String(), Name: a.Name, Role: adminv1.Role(a.Role), Tokens: convertAll(tokens, toProtoToken),
		CreatedAt: toTimestamp(a.CreatedAt), Etag: toETag(a.Version),
	}
}

func toProtoToken(t serviceaccount.Token) *adminv1.ServiceAccountToken {
	return &adminv1.ServiceAccountToken{
		Id: t.ID.String(), Name: t.Name, Suffix: t.Suffix, CreatedAt: toTimestamp(t.CreatedAt),
		ExpiresAt: toTimestamp(t.ExpiresAt), RevokedAt: toTimestamp(t.RevokedAt),
	}
}

// toTimestamp leaves the zero time out.
func toTimestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// fromTimestamp makes what is absent the zero time.
func fromTimestamp(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

func toETag(version int64) string { return command.ETag(version) }

func toTexts(ids []uuid.UUID) []string {
	texts := make([]string, 0, len(ids))
	for _, id := range ids {
		texts = append(texts, id.String())
	}
	return texts
}

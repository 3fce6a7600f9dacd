package rpc_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/token"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

func TestRotateKey(t *testing.T) {
	n := install(t).tenant("alpha")
	request := &adminv1.RotateKeyRequest{
		Id: n.key.Id, Overlap: durationpb.New(time.Hour), Mutation: &adminv1.Mutation{RequestId: "r1", Etag: n.key.Etag},
	}
	first := call(t, n.keys.RotateKey, request)
	if !token.Valid(first.Secret, token.Key) || first.Secret == n.secret {
		t.Error("no new secret")
	}
	same(t, first.Key.PreviousSuffix, n.key.Suffix)
	if left := time.Until(first.Key.PreviousExpiresAt.AsTime()); left < 59*time.Minute || left > time.Hour {
		t.Errorf("the old secret lives for %s", left)
	}
	again := call(t, n.keys.RotateKey, request)
	same(t, again.Secret, "")
	same(t, again.SecretAlreadyShown, true)
	same(t, again.Key.Suffix, first.Key.Suffix)

	request.Mutation = nil
	request.Overlap = durationpb.New(91 * 24 * time.Hour)
	refused(t, connect.CodeInvalidArgument, n.keys.RotateKey, request)
	call(t, n.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: n.key.Id})
	refused(t, connect.CodeFailedPrecondition, n.keys.RotateKey, &adminv1.RotateKeyRequest{Id: n.key.Id})
}

// A leaked old secret is ended before its time: agents hear of it in the policy and in the
// set of revocations, and the key lives on with the present one.
func TestEndKeyOverlap(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	end := &adminv1.EndKeyOverlapRequest{Id: n.key.Id, Reason: "leaked"}
	refused(t, connect.CodeFailedPrecondition, n.keys.EndKeyOverlap, end)
	rotated := call(t, n.keys.RotateKey, &adminv1.RotateKeyRequest{Id: n.key.Id}).Key
	receipts := &adminv1.GetKeyRevocationRequest{Id: n.key.Id, PreviousSecret: true}
	refused(t, connect.CodeFailedPrecondition, n.keys.GetKeyRevocation, receipts)
	refused(t, connect.CodeAborted, n.keys.EndKeyOverlap, &adminv1.EndKeyOverlapRequest{Id: n.key.Id, Mutation: &adminv1.Mutation{Etag: n.key.Etag}})

	ended := call(t, n.keys.EndKeyOverlap, end).Key
	same(t, ended.Suffix, rotated.Suffix)
	same(t, ended.PreviousSuffix, n.key.Suffix)
	same(t, ended.RevokedAt == nil, true)
	if at := ended.PreviousEndedAt.AsTime(); time.Since(at) > time.Minute || !at.Equal(ended.PreviousExpiresAt.AsTime()) {
		t.Errorf("ended at %v, lives until %v", at, ended.PreviousExpiresAt.AsTime())
	}
	again := call(t, n.keys.EndKeyOverlap, end).Key
	same(t, again.Etag, ended.Etag)

	state, err := in.store.PolicyState(t.Context(), n.policyQuery())
	if err != nil {
		t.Fatal(err)
	}
	set := policy.Revocations(state).GetRevocations()
	if hash := sha256.Sum256([]byte(n.secret)); len(set) != 1 || set[0].GetKeyId() != "" || [32]byte(set[0].GetKeySha256()) != hash {
		t.Errorf("agents are told %v", set)
	}
	if state.Keys[0].Previous.ExpiresAt.After(time.Now()) {
		t.Errorf("policies have the old secret until %v", state.Keys[0].Previous.ExpiresAt)
	}
	same(t, call(t, n.keys.GetKeyRevocation, receipts).Version, set[0].GetVersion())
	refused(t, connect.CodeFailedPrecondition, n.keys.GetKeyRevocation, &adminv1.GetKeyRevocationRequest{Id: n.key.Id})

	call(t, n.keys.RevokeKey, &adminv1.RevokeKeyRequest{Id: n.key.Id})
	refused(t, connect.CodeFailedPrecondition, n.keys.EndKeyOverlap, end)
}

func TestUpdateKey(t *testing.T) {
	n := install(t).tenant("alpha")
	got := call(t, n.keys.UpdateKey, &adminv1.UpdateKeyRequest{
		Key:        &adminv1.Key{Id: n.key.Id, Labels: map[string]string{"team": "search"}},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"labels", "route_ids"}},
	}).Key
	same(t, got.Labels["team"], "search")
	same(t, len(got.RouteIds), 0)
	same(t, got.Name, n.key.Name)
	refused(t, connect.CodeInvalidArgument, n.keys.UpdateKey, &adminv1.UpdateKeyRequest{
		Key: &adminv1.Key{Id: n.key.Id}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"project_id"}},
	})
}

// A deleted key is gone from lists, and stays revoked for the agents.
func TestDeleteKey(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	call(t, n.keys.DeleteKey, &adminv1.DeleteKeyRequest{Id: n.key.Id, Reason: "left"})
	refused(t, connect.CodeNotFound, n.keys.GetKey, &adminv1.GetKeyRequest{Id: n.key.Id})
	same(t, len(call(t, n.keys.ListKeys, &adminv1.ListKeysRequest{}).Keys), 0)

	state, err := in.store.PolicyState(t.Context(), n.policyQuery())
	if err != nil {
		t.Fatal(err)
	}
	if len(state.Keys) != 1 || state.Keys[0].RevokedAt.IsZero() {
		t.Errorf("agents see %+v", state.Keys)
	}
	call(t, n.keys.CreateKey, &adminv1.CreateKeyRequest{Name: n.key.Name, ProjectId: n.project.Id})
	state, err = in.store.PolicyState(t.Context(), n.policyQuery())
	if err != nil || len(state.Keys) != 2 {
		t.Errorf("agents see %+v, %v", state.Keys, err)
	}
}

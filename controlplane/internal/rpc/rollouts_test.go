package rpc_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/weirhq/weir/controlplane/internal/command"
	"github.com/weirhq/weir/controlplane/internal/conduct"
	"github.com/weirhq/weir/controlplane/internal/eventlog/pglog"
	"github.com/weirhq/weir/controlplane/internal/readmodel"
	adminv1 "github.com/weirhq/weir/proto/gen/weir/admin/v1"
)

const canary = adminv1.RolloutStrategy_ROLLOUT_STRATEGY_CANARY

// wentBack pins the tenant's gateway where it is.
func (n *tenant) wentBack(t *testing.T) *adminv1.Rollout {
	t.Helper()
	return call(t, n.rollouts.GoBack, &adminv1.GoBackRequest{GatewayId: n.gateway.Id, Version: n.head()}).Rollout
}

func (n *tenant) seen(t *testing.T) *adminv1.Gateway {
	t.Helper()
	return call(t, n.gateways.GetGateway, &adminv1.GetGatewayRequest{Id: n.gateway.Id}).Gateway
}

// staged makes the tenant's gateway roll out step by step.
func (n *tenant) staged(t *testing.T, settings *adminv1.RolloutSettings) *adminv1.Gateway {
	t.Helper()
	settings.Strategy = canary
	return call(t, n.gateways.UpdateGateway, &adminv1.UpdateGatewayRequest{Gateway: &adminv1.Gateway{Id: n.gateway.Id, Rollout: settings}}).Gateway
}

// reroute changes what is staged.
func (n *tenant) reroute(t *testing.T, model string) {
	t.Helper()
	call(t, n.routes.UpdateRoute, &adminv1.UpdateRouteRequest{Route: &adminv1.Route{
		Id: n.route.Id, Targets: []*adminv1.Target{{ProviderId: n.provider.Id, Model: model}},
	}})
}

// lead decides once what follows by itself, as every process does each second.
func (in *installation) lead(t *testing.T, n *tenant) {
	t.Helper()
	id, gateway := uuid.Must(uuid.NewV7()), mustParse(t, n.gateway.Id)
	origin := command.Origin{Organization: mustParse(t, n.organization.Id), Actor: "rollout"}
	_, err := in.runner.Commit(t.Context(), origin, func(ctx context.Context, v readmodel.View) (command.Plan, error) {
		scene, err := conduct.See(ctx, v, gateway)
		return command.Plan{Changes: scene.Stage.Next(id, gateway, scene.Look), Parts: []pglog.Part{conduct.NoteBaselines}}, err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// seesAgent has an agent seen now.
func (in *installation) seesAgent(t *testing.T, n *tenant, agent uuid.UUID) {
	t.Helper()
	err := in.db.System(t.Context(), func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO agent_status (organization_id, agent_id, last_seen_at, version, policy_epoch, policy_version,
			revocation_version, reject_reasons, spool_bytes, spool_records) VALUES ($1, $2, now(), '', 1, 1, 0, '{}', 0, 0)`, n.organization.Id, agent)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRolloutSettings(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	same(t, n.seen(t).Rollout.Strategy, adminv1.RolloutStrategy_ROLLOUT_STRATEGY_ALL_AT_ONCE)
	before := n.head()
	set := n.staged(t, &adminv1.RolloutSettings{Steps: []int32{25, 75}, BakeTime: durationpb.New(30 * time.Second)})
	same(t, set.Rollout.MaxErrorRise, 5)
	same(t, set.Rollout.MinRequests, 100)
	same(t, n.head(), before+1)
	same(t, n.seen(t).Stage.StableVersion, before+1)
	whole := n.seen(t)
	whole.Name = "renamed"
	call(t, n.gateways.UpdateGateway, &adminv1.UpdateGatewayRequest{Gateway: whole, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"*"}}})
	same(t, n.seen(t).Rollout.BakeTime.AsDuration(), 30*time.Second)

	for field, bad := range map[string]*adminv1.RolloutSettings{
		"gateway.rollout.steps":     {Strategy: canary, Steps: []int32{50, 10}},
		"gateway.rollout.bake_time": {Strategy: canary, BakeTime: durationpb.New(1500 * time.Millisecond)},
		"gateway.rollout.strategy":  {Steps: []int32{10}},
	} {
		err := refused(t, connect.CodeInvalidArgument, n.gateways.UpdateGateway, &adminv1.UpdateGatewayRequest{Gateway: &adminv1.Gateway{Id: n.gateway.Id, Rollout: bad}})
		if !strings.Contains(err.Error(), field) {
			t.Errorf("want a fault about %s, got %v", field, err)
		}
	}
	t.Run("a_revert_brings_them_back", func(t *testing.T) {
		call(t, n.history.Revert, &adminv1.RevertRequest{Target: &adminv1.RevertRequest_ToVersion{ToVersion: before}})
		same(t, n.seen(t).Rollout.Strategy, adminv1.RolloutStrategy_ROLLOUT_STRATEGY_ALL_AT_ONCE)
		same(t, n.seen(t).Stage.StableVersion, 0)
	})
}

func TestRolloutService(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	agent := in.enrol(n)
	in.seesAgent(t, n, agent.ID)
	n.staged(t, &adminv1.RolloutSettings{})
	stable := n.head()
	in.lead(t, n)
	same(t, n.head(), stable)
	n.reroute(t, "next")
	in.lead(t, n)
	running := func() *adminv1.Rollout {
		t.Helper()
		return call(t, n.rollouts.GetRollout, &adminv1.GetRolloutRequest{Id: n.seen(t).Stage.RolloutId}).Rollout
	}
	began := running()
	same(t, began.State, adminv1.RolloutState_ROLLOUT_STATE_RUNNING)
	same(t, began.BaseVersion, stable)
	same(t, began.CandidateVersion, stable+1)
	same(t, began.AgentIds[0], agent.ID.String())
	same(t, n.seen(t).Stage.StableVersion, stable)

	hold := &adminv1.HoldRolloutRequest{Id: began.Id, Reason: "lunch"}
	call(t, n.rollouts.HoldRollout, hold)
	same(t, running().Hold.Reason, "lunch")
	stale := &adminv1.ResumeRolloutRequest{Id: began.Id, Mutation: &adminv1.Mutation{Etag: began.Etag}}
	refused(t, connect.CodeAborted, n.rollouts.ResumeRollout, stale)
	call(t, n.rollouts.ResumeRollout, &adminv1.ResumeRolloutRequest{Id: began.Id})
	same(t, running().State, adminv1.RolloutState_ROLLOUT_STATE_RUNNING)
	tried := call(t, n.rollouts.PromoteRollout, &adminv1.PromoteRolloutRequest{Id: began.Id, Mutation: &adminv1.Mutation{ValidateOnly: true}}).Rollout
	same(t, tried.State, adminv1.RolloutState_ROLLOUT_STATE_FINISHED)
	same(t, running().State, adminv1.RolloutState_ROLLOUT_STATE_RUNNING)
	call(t, n.rollouts.PromoteRollout, &adminv1.PromoteRolloutRequest{Id: began.Id, To: adminv1.PromoteTo_PROMOTE_TO_ALL})
	same(t, n.seen(t).Stage.RolloutId, "")
	same(t, n.seen(t).Stage.StableVersion, stable+1)
	over := refused(t, connect.CodeFailedPrecondition, n.rollouts.HoldRollout, hold)
	same(t, reason(t, over), "rollout_over")

	t.Run("without_staging_what_is_under_way_ends", func(t *testing.T) {
		n.reroute(t, "after")
		in.lead(t, n)
		open := running()
		call(t, n.gateways.UpdateGateway, &adminv1.UpdateGatewayRequest{
			Gateway: &adminv1.Gateway{Id: n.gateway.Id}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"rollout"}},
		})
		same(t, call(t, n.rollouts.GetRollout, &adminv1.GetRolloutRequest{Id: open.Id}).Rollout.State, adminv1.RolloutState_ROLLOUT_STATE_FINISHED)
		same(t, n.seen(t).Stage.StableVersion, 0)
	})
	t.Run("all_of_it_is_listed_and_in_the_history", func(t *testing.T) {
		all := call(t, n.rollouts.ListRollouts, &adminv1.ListRolloutsRequest{GatewayId: n.gateway.Id}).Rollouts
		same(t, len(all), 2)
		same(t, all[1].Id, began.Id)
		same(t, len(call(t, n.rollouts.ListRollouts, &adminv1.ListRolloutsRequest{Filter: `state = "running"`}).Rollouts), 0)
		events := call(t, n.history.ListEvents, &adminv1.ListEventsRequest{Match: &adminv1.EventMatch{ResourceId: began.Id}}).Events
		same(t, len(events), 4)
		same(t, events[0].Resource.Kind, "rollout")
		same(t, events[3].Actor.Kind, "rollout")
	})
	t.Run("read_models_are_what_the_log_says", func(t *testing.T) {
		rebuilt, err := in.store.Rebuild(t.Context(), readmodel.Rebuilding{Organization: mustParse(t, n.organization.Id)})
		if err != nil || rebuilt.Count > 0 {
			t.Errorf("they differ: %v, %v", rebuilt.Differences, err)
		}
	})
}

func TestGoBack(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	good := n.head()
	n.reroute(t, "broken")
	request := &adminv1.GoBackRequest{GatewayId: n.gateway.Id, Version: good, Reason: "errors", Mutation: &adminv1.Mutation{ValidateOnly: true}}
	would := call(t, n.rollouts.GoBack, request)
	same(t, len(would.Changes), 1)
	same(t, would.Changes[0].Resource.Kind, "route")
	same(t, n.seen(t).Stage.Pinned, false)

	request.Mutation = &adminv1.Mutation{Etag: n.seen(t).Etag}
	pinned := call(t, n.rollouts.GoBack, request).Rollout
	same(t, pinned.State, adminv1.RolloutState_ROLLOUT_STATE_PINNED)
	same(t, pinned.BaseVersion, good)
	same(t, pinned.Reason, "errors")
	stage := n.seen(t).Stage
	same(t, stage.Pinned, true)
	same(t, stage.StableVersion, good)
	same(t, stage.RolloutId, pinned.Id)
	same(t, call(t, n.rollouts.GoBack, &adminv1.GoBackRequest{GatewayId: n.gateway.Id, Version: good}).Rollout.Etag, pinned.Etag)
	shown := call(t, n.routes.GetRoute, &adminv1.GetRouteRequest{Id: n.route.Id}).Route
	same(t, shown.Targets[0].Model, "broken") // the configuration itself stays

	t.Run("versions_that_can_not_be", func(t *testing.T) {
		for _, version := range []int64{n.head() + 1, 1} { // to come, and before the gateway was made
			err := refused(t, connect.CodeInvalidArgument, n.rollouts.GoBack, &adminv1.GoBackRequest{GatewayId: n.gateway.Id, Version: version})
			if !strings.Contains(err.Error(), "version: ") {
				t.Errorf("version %d: %v", version, err)
			}
		}
	})
	t.Run("a_going_back_is_no_rollout", func(t *testing.T) {
		same(t, reason(t, refused(t, connect.CodeFailedPrecondition, n.rollouts.PromoteRollout, &adminv1.PromoteRolloutRequest{Id: pinned.Id})), "gateway_pinned")
	})
	t.Run("forward_again", func(t *testing.T) {
		after := call(t, n.rollouts.GoForward, &adminv1.GoForwardRequest{GatewayId: n.gateway.Id}).Rollout
		same(t, after.State, adminv1.RolloutState_ROLLOUT_STATE_UNPINNED)
		same(t, n.seen(t).Stage.Pinned, false)
		same(t, n.seen(t).Stage.StableVersion, 0)
		same(t, reason(t, refused(t, connect.CodeFailedPrecondition, n.rollouts.GoForward, &adminv1.GoForwardRequest{GatewayId: n.gateway.Id})), "gateway_not_pinned")
	})
	t.Run("a_gateway_that_is_deleted_is_no_longer_pinned", func(t *testing.T) {
		n.wentBack(t)
		call(t, n.gateways.DeleteGateway, &adminv1.DeleteGatewayRequest{Id: n.gateway.Id})
		newest := call(t, n.rollouts.ListRollouts, &adminv1.ListRolloutsRequest{}).Rollouts[0]
		same(t, newest.State, adminv1.RolloutState_ROLLOUT_STATE_UNPINNED)
	})
	t.Run("etags_are_versions_of_the_log", func(t *testing.T) {
		if version, err := strconv.ParseInt(pinned.Etag, 10, 64); err != nil || version <= good {
			t.Errorf("etag %q", pinned.Etag)
		}
	})
}

// To the version that the stable agents have: those of the rollout are given other things.
func TestGoBackInTheMiddleOfARollout(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	in.seesAgent(t, n, in.enrol(n).ID)
	n.staged(t, &adminv1.RolloutSettings{})
	stable := n.head()
	n.reroute(t, "next")
	request := &adminv1.GoBackRequest{GatewayId: n.gateway.Id, Version: stable, Mutation: &adminv1.Mutation{ValidateOnly: true}}
	before := call(t, n.rollouts.GoBack, request)
	same(t, len(before.Changes)+len(before.CandidateChanges), 0) // nobody has it yet
	in.lead(t, n)
	would := call(t, n.rollouts.GoBack, request)
	same(t, len(would.Changes), 0)
	same(t, len(would.CandidateChanges), 1)
	same(t, would.CandidateChanges[0].Resource.Kind, "route")
	request.Mutation = nil
	same(t, len(call(t, n.rollouts.GoBack, request).CandidateChanges), 1)
}

func TestAGatewayBeginsWithSettings(t *testing.T) {
	in := install(t)
	n := in.tenant("alpha")
	made := call(t, n.gateways.CreateGateway, &adminv1.CreateGatewayRequest{
		Name: "begins", Region: "local", CredentialMaxAge: durationpb.New(time.Hour), Rollout: &adminv1.RolloutSettings{Strategy: canary},
	}).Gateway
	same(t, made.CredentialMaxAge.AsDuration(), time.Hour)
	same(t, made.Rollout.BakeTime.AsDuration(), 5*time.Minute)
	shown := call(t, n.gateways.GetGateway, &adminv1.GetGatewayRequest{Id: made.Id}).Gateway
	same(t, shown.Rollout.Strategy, canary)
	same(t, shown.Stage.StableVersion, n.head())
	for field, bad := range map[string]*adminv1.CreateGatewayRequest{
		"rollout.steps: want":      {Rollout: &adminv1.RolloutSettings{Strategy: canary, Steps: []int32{50, 10}}},
		`such as "300s"`:           {Rollout: &adminv1.RolloutSettings{Strategy: canary, BakeTime: durationpb.New(time.Millisecond)}},
		`credential_max_age: want`: {CredentialMaxAge: durationpb.New(1500 * time.Millisecond)},
	} {
		bad.Name, bad.Region = "bad", "local"
		if err := refused(t, connect.CodeInvalidArgument, n.gateways.CreateGateway, bad); !strings.Contains(err.Error(), field) || strings.Contains(err.Error(), "gateway.") {
			t.Errorf("want %s, got %v", field, err)
		}
	}
}

package fleet

import (
	"context"
	"errors"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/signing"
	"github.com/weirhq/weir/proto/contract/digest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// base is what was compiled last, released or not: the next compile begins with it.
type base struct {
	policy *policy.Compiled
	epoch  int64
}

// compileWork is signed with one look at the keys: an agent that is new has the
// signer of a release only.
type compileWork struct {
	state   policy.State
	before  base // epoch is that of the state
	keys    signing.Current
	revoked signedSet
}

func (f *feed) compile(ctx context.Context, permits chan struct{}) {
	for {
		var work compileWork
		select {
		case <-ctx.Done():
			return
		case work = <-f.work:
		}
		select {
		case <-ctx.Done():
			return
		case permits <- struct{}{}:
		}
		err := f.release(ctx, work)
		<-permits
		switch {
		case err == nil || ctx.Err() != nil:
		case errors.Is(err, ErrOutdated):
			f.changed()
		case errors.Is(err, errDeferred):
			if !sleep(ctx, f.config.Timing.Retry) {
				return
			}
			f.changed() // until it is released by the other build, or that one is gone
		case errors.Is(err, ErrFrozen):
			f.log.Info("nothing new is released", "version", work.state.Version, "reason", err)
		case errors.Is(err, policy.ErrTooLarge):
			f.log.Error("policy is not released", "version", work.state.Version, "error", err)
		default:
			f.log.Error("policy is not released", "version", work.state.Version, "error", err)
			if !sleep(ctx, f.config.Timing.Retry) {
				return
			}
			f.changed()
		}
	}
}

// release compiles and publishes; what says the same as the present release is it, unless the
// epoch was raised since: what agents say of one that is over counts for nothing.
func (f *feed) release(ctx context.Context, work compileWork) error {
	compiled, err := policy.CompileNext(work.before.policy, work.state, f.config.PriceBook)
	if err != nil {
		return err
	}
	f.mu.Lock()
	if f.base = (base{epoch: work.before.epoch}); work.state.Stage.Configuration(f.track) == 0 {
		f.base.policy = compiled // of a configuration of the past nothing says what changed since
	}
	f.mu.Unlock()
	draft := f.draft(work, compiled)
	_, latest := f.current()
	if latest != nil && latest.epoch == work.before.epoch && latest.version > work.state.Version {
		f.witnesses.forget(latest.position)
		f.witnesses.doubt(latest.position, f.served(latest.position)) // the log went back, or another replica is ahead
	}
	if latest != nil && latest.epoch >= work.before.epoch && latest.release.serves(draft) {
		return nil
	}
	release, err := f.publish(ctx, draft)
	if err != nil {
		return err
	}
	f.publishPolicy(newPublished(f.track, release, compiled, work))
	return nil
}

// publish leaves a gateway to a newer build, where one runs and makes other content of it:
// else each would release every change once more, in an epoch of its own.
func (f *feed) publish(ctx context.Context, draft Draft) (Release, error) {
	outdated, err := f.config.compilers.outdated(ctx)
	if err != nil {
		return Release{}, err
	}
	outdated = outdated && !draft.Frozen
	draft.Frozen = draft.Frozen || outdated
	release, err := f.config.Releases.Publish(ctx, draft)
	if outdated && errors.Is(err, ErrFrozen) {
		err = errDeferred
	}
	f.deferTo(errors.Is(err, errDeferred))
	return release, err
}

// deferTo a newer build, or no more: agents go where their policy is released.
func (f *feed) deferTo(newer bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.deferred = newer; newer {
		f.wakeAll()
	}
}

func (f *feed) defers() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.deferred
}

// draft of what was compiled.
func (f *feed) draft(work compileWork, compiled *policy.Compiled) Draft {
	keys, header := work.keys, f.header(work.state, compiled)
	believed, ids := toProtoKeys(keys.Believed)
	header.SigningKeys = believed
	return Draft{
		OrganizationID: f.organization,
		GatewayID:      f.gateway,
		Track:          f.track,
		Version:        work.state.Version,
		Floor:          work.state.Stage.FloorOf(f.track),
		Root:           compiled.Root,
		Believed:       ids,
		Frozen:         work.state.Frozen,
		Seal: func(epoch int64) (*policyv1.SignedRelease, error) {
			header.Epoch = epoch
			encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(header)
			if err != nil {
				return nil, err
			}
			return &policyv1.SignedRelease{Release: encoded, Signature: keys.Sign(digest.ReleaseMessage(encoded)), SigningKeyId: keys.ID}, nil
		},
	}
}

// header of a release, but for its epoch and the keys to believe.
func (f *feed) header(state policy.State, compiled *policy.Compiled) *policyv1.Release {
	return &policyv1.Release{
		OrganizationId:    f.organization.String(),
		GatewayId:         f.gateway.String(),
		Version:           state.Version,
		ResourceCount:     int32(compiled.Count()),
		Root:              compiled.Root,
		MinimumCapability: compiled.MinimumCapability,
		PriceBookVersion:  policy.PriceBookVersion(f.config.PriceBook, state.PriceOverridesVersion),
		CompiledAt:        timestamppb.Now(),
	}
}

func toProtoKeys(keys []signing.PublicKey) (believed []*policyv1.SigningKey, ids []string) {
	for _, k := range keys {
		believed = append(believed, &policyv1.SigningKey{Id: k.ID, PublicKey: k.Key})
		ids = append(ids, k.ID)
	}
	return believed, ids
}

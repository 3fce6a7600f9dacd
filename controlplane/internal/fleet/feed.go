package fleet

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/weirhq/weir/controlplane/internal/policy"
	"github.com/weirhq/weir/controlplane/internal/rollout"
	"github.com/weirhq/weir/controlplane/internal/signing"
	"github.com/weirhq/weir/proto/contract/digest"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// feed is what the watchers of one track of a gateway are to have: the newest revocations
// and the newest policy, each latest wins. Three loops keep it: read fetches the
// state and signs revocations at once, compile may take its time, examine looks for what agents have.
type feed struct {
	place
	config Config
	log    *slog.Logger
	stop   context.CancelFunc
	dirty  chan struct{}
	work   chan compileWork
	leftAt time.Time // the last watcher, if there is none; the hub's
	// configuration is the version that the track had at the last look; read's own.
	configuration int64
	witnesses     *witnesses

	mu          sync.Mutex
	stage       rollout.Stage
	stagedAt    int64 // the log's version that stage is of; 0: it is not known yet
	watchers    map[*watcher]struct{}
	revocations *frame
	latest      *published
	past        []past // oldest first
	base        base
	deferred    bool // to a newer build
}

// base is what was compiled last, released or not: the next compile begins with it.
type base struct {
	policy *policy.Compiled
	epoch  int64
}

// signedSet is a set of revocations with its signed form.
type signedSet struct {
	set    *policyv1.Revocations
	signed *policyv1.SignedRevocations
}

// compileWork is signed with one look at the keys: an agent that is new has the
// signer of a release only.
type compileWork struct {
	state   policy.State
	before  base // epoch is that of the state
	keys    signing.Current
	revoked signedSet
}

func newFeed(config Config, at place, stop context.CancelFunc) *feed {
	return &feed{
		place:    at,
		config:   config,
		log:      config.Log.With("organization_id", at.organization, "gateway_id", at.gateway, "track", at.track),
		stop:     stop,
		dirty:    make(chan struct{}, 1),
		work:     make(chan compileWork, 1),
		watchers: make(map[*watcher]struct{}),

		witnesses: newWitnesses(),
	}
}

// changed asks for another look at the state.
func (f *feed) changed() {
	select {
	case f.dirty <- struct{}{}:
	default:
	}
}

func (f *feed) read(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.dirty:
		}
		pause := f.config.Timing.Coalesce
		if err := f.refresh(ctx); err != nil && ctx.Err() == nil {
			f.log.Error("policy is not followed", "error", err)
			pause = f.config.Timing.Retry
			f.changed()
		}
		if !sleep(ctx, pause) {
			return
		}
	}
}

func (f *feed) refresh(ctx context.Context) error {
	state, before, err := f.look(ctx)
	if err != nil {
		return err
	}
	keys, err := f.config.Keys.Current(ctx, f.organization)
	if err != nil {
		return err
	}
	f.witnesses.believe(keys.Believed)
	set := policy.Revocations(before.policy.WithRevoked(state))
	set.Epoch = before.epoch
	revoked, err := signRevocations(set, keys)
	if err != nil {
		return err
	}
	if err := f.publishRevocations(revoked); err != nil {
		return err
	}
	if f.publishStage(state); !state.Stage.Has(f.track) {
		return nil
	}
	select {
	case <-f.work: // overtaken
	default:
	}
	f.work <- compileWork{state: state, before: before, keys: keys, revoked: revoked}
	return nil
}

// look reads what changed since the last compile, or the whole state where the epoch
// was raised since: the log may have been another one.
func (f *feed) look(ctx context.Context) (policy.State, base, error) {
	f.mu.Lock()
	before := f.base
	f.mu.Unlock()
	state, err := f.readState(ctx, before.policy.Since(time.Now()))
	if err != nil {
		return state, base{}, err
	}
	epoch, err := f.config.Releases.Epoch(ctx, f.organization)
	if err == nil && epoch != before.epoch && state.Since != 0 {
		state, err = f.readState(ctx, 0)
	}
	return state, base{policy: before.policy, epoch: epoch}, err
}

func signRevocations(set *policyv1.Revocations, keys signing.Current) (signedSet, error) {
	encoded, err := proto.MarshalOptions{Deterministic: true}.Marshal(set)
	if err != nil {
		return signedSet{}, err
	}
	return signedSet{set: set, signed: &policyv1.SignedRevocations{
		Revocations:  encoded,
		Signature:    keys.Sign(digest.RevocationsMessage(encoded)),
		SigningKeyId: keys.ID,
	}}, nil
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

// sleep waits; false: ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

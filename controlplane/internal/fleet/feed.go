package fleet

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

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

// signedSet is a set of revocations with its signed form.
type signedSet struct {
	set    *policyv1.Revocations
	signed *policyv1.SignedRevocations
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

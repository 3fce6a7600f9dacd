package control

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir/proto/contract/digest"
	agentv1 "github.com/weirhq/weir/proto/gen/weir/agent/v1"
	policyv1 "github.com/weirhq/weir/proto/gen/weir/policy/v1"
)

// Environment of a victim: its state folder and, where writes are to fail, after how
// many bytes of a file.
const (
	SlotsDir   = "WEIR_SLOTS_CRASH_DIR"
	slotsShort = "WEIR_SLOTS_CRASH_SHORT"
)

// world is an organization whose policies carry their version in every resource.
type world struct{ key ed25519.PrivateKey }

func newWorld() world { return world{ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))} }

// settle makes the identity of an agent in a state folder.
func (w world) settle(dir string) error {
	k := keyring{dir: filepath.Join(dir, "identity")}
	key, err := k.privateKey()
	if err != nil {
		return err
	}
	return k.save(&Identity{AgentID: "a", OrganizationID: "o", GatewayID: "g", key: key,
		signers: map[string]ed25519.PublicKey{"sk": w.key.Public().(ed25519.PublicKey)}})
}

func (w world) snapshot(version, revocations int64) *agentv1.Snapshot {
	s := &agentv1.Snapshot{Revocations: w.set(revocations)}
	var all []digest.Resource
	for n := range 1 + rand.IntN(20) {
		body := append(strconv.AppendInt(nil, version, 10), ' ')
		body = append(body, make([]byte, rand.IntN(20_000))...)
		r := &policyv1.Resource{Kind: "thing", Id: strconv.Itoa(n), Body: body}
		s.Resources, all = append(s.Resources, r), append(all, digest.Of(r.Kind, r.Id, r.Body))
	}
	root := digest.Root(all)
	header, _ := proto.Marshal(&policyv1.Release{OrganizationId: "o", GatewayId: "g", Epoch: 1, Version: version,
		ResourceCount: int32(len(all)), Root: root[:], MinimumCapability: 1})
	s.Release = &policyv1.SignedRelease{Release: header, SigningKeyId: "sk", Signature: ed25519.Sign(w.key, digest.ReleaseMessage(header))}
	return s
}

func (w world) set(version int64) *policyv1.SignedRevocations {
	set := &policyv1.Revocations{OrganizationId: "o", GatewayId: "g", Epoch: 1, Version: version}
	for n := range version % 50 {
		set.Revocations = append(set.Revocations, &policyv1.Revocation{KeyId: strconv.FormatInt(n, 10), KeySha256: make([]byte, 32), Version: version})
	}
	body, _ := proto.Marshal(set)
	return &policyv1.SignedRevocations{Revocations: body, SigningKeyId: "sk", Signature: ed25519.Sign(w.key, digest.RevocationsMessage(body))}
}

// errMixed: resources of several policies were compiled as one.
var errMixed = errors.New("mixed")

// follower is a client as an agent has it, but that it calls nobody. unstored counts
// what it served and could not store.
type follower struct {
	*Client
	unstored int
	mixed    error
}

func newFollower(dir string) (*follower, error) {
	f := &follower{}
	var err error
	f.Client, err = New(Config{
		URL: "http://127.0.0.1:1", StateDir: dir, Compile: f.compile, ApplyRevocations: func(*policyv1.Revocations) error { return nil },
		Tails: func() []*agentv1.BootTail { return nil }, Settle: func([]*agentv1.SettledRange) {}, Spooled: func() Spooled { return Spooled{} },
		Credentials: func() *agentv1.CredentialReport { return nil }, Targets: func() *agentv1.TargetReport { return nil }, Served: func() Served { return Served{} },
		Answer: func(context.Context, *agentv1.Ask) *agentv1.AnswerRequest { return nil }, Log: slog.New(f),
	})
	return f, err
}

func (f *follower) compile(r *policyv1.Release, resources []*policyv1.Resource, _ *policyv1.Revocations) (func(), error) {
	for _, resource := range resources {
		if version, _, _ := strings.Cut(string(resource.GetBody()), " "); version != strconv.FormatInt(r.GetVersion(), 10) {
			f.mixed = fmt.Errorf("%w: version %s in %d", errMixed, version, r.GetVersion())
			return nil, f.mixed
		}
	}
	return func() {}, nil
}

// A follower hears from its own log whether what it serves was stored.
func (f *follower) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }
func (f *follower) WithAttrs([]slog.Attr) slog.Handler               { return f }
func (f *follower) WithGroup(string) slog.Handler                    { return f }
func (f *follower) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "not stored") {
		f.unstored++
	}
	return nil
}

// step applies one more policy, or one more revocation. It tells the position, and
// whether that is on disk.
func (f *follower) step(w world, said func(string, position, bool)) error {
	next, before := f.at(), f.unstored
	if rand.IntN(3) == 0 && next.version > 0 {
		next.revoked++
		said("try", next, false)
		if err := f.applyRevocations(w.set(next.revoked)); err != nil {
			return err
		}
	} else {
		next.version++
		next.revoked += rand.Int64N(2)
		said("try", next, false)
		if err := f.applySnapshot(w.snapshot(next.version, next.revoked)); err != nil {
			return err
		}
	}
	said("applied", next, f.unstored == before)
	return nil
}

// position of what is served.
type position struct{ version, revoked int64 }

func (f *follower) at() position {
	at := f.position()
	return position{at.GetVersion(), at.GetRevocationVersion()}
}

// SlotsVictim applies policies until it is killed, and prints what it was about to do
// and what it did.
func SlotsVictim(dir string) error {
	if limit, err := strconv.ParseUint(os.Getenv(slotsShort), 10, 64); err == nil {
		time.AfterFunc(time.Duration(rand.IntN(20))*time.Millisecond, func() {
			_ = unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: limit})
		})
	}
	f, err := newFollower(dir)
	if err != nil {
		return err
	}
	f.LoadPolicy()
	for {
		if err := f.step(newWorld(), func(what string, p position, stored bool) {
			fmt.Println(what, p.version, p.revoked, stored)
		}); err != nil {
			return err
		}
	}
}

package secret

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// resolved runs a test with a resolver at work, in a bubble: its sources are looked
// at once in each second that passes.
func resolved(t *testing.T, lookup func(string) (string, bool), test func(t *testing.T, r *Resolver)) {
	synctest.Test(t, func(t *testing.T) {
		r := &Resolver{lookup: lookup, log: slog.New(slog.DiscardHandler)}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); r.Run(ctx) }()
		test(t, r)
		stop()
		<-done
	})
}

// looks lets so many looks at every source pass.
func looks(n int) { time.Sleep(time.Duration(n)*recheck + recheck/2); synctest.Wait() }

func wantValue(t *testing.T, r *Resolver, reference, want string) {
	t.Helper()
	value, err := r.Resolve(reference)
	if err != nil || value.Reveal() != want {
		t.Errorf("%s: %q, %v; want %q", reference, value.Reveal(), err, want)
	}
}

func wantNone(t *testing.T, r *Resolver, reference, why string) {
	t.Helper()
	value, err := r.Resolve(reference)
	if !errors.Is(err, ErrUnavailable) || value.Reveal() != "" || !strings.Contains(err.Error(), why) {
		t.Errorf("%s: %q, %v; want none because %s", reference, value.Reveal(), err, why)
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
}

func TestFileIsReadAgainWhenItChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	reference := "file://" + path
	resolved(t, nil, func(t *testing.T, r *Resolver) {
		wantNone(t, r, reference, "the file is not there")
		put(t, path, "one\n")
		looks(1)
		wantValue(t, r, reference, "one")
		put(t, path, "second")
		looks(2)
		wantValue(t, r, reference, "second")
		remove(t, path)
		looks(1)
		wantValue(t, r, reference, "second")
		put(t, path, "third!")
		looks(2)
		wantValue(t, r, reference, "third!")
	})
}

// What a writer has not finished is not believed, however long it takes.
func TestHalfWrittenFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	reference := "file://" + path
	put(t, path, "whole")
	resolved(t, nil, func(t *testing.T, r *Resolver) {
		wantValue(t, r, reference, "whole")
		for _, half := range []string{"", "an", "anoth", "another", ""} {
			put(t, path, half)
			looks(0)
			time.Sleep(recheck / 2)
			synctest.Wait()
			wantValue(t, r, reference, "whole")
		}
		put(t, path, "another key")
		looks(2)
		wantValue(t, r, reference, "another key")
		if s := r.Status(reference); s.Err != nil || !s.Since.IsZero() {
			t.Errorf("status %+v", s)
		}
	})
}

// Kubernetes and its kin swap the symlink ..data to a new folder; size and time of
// the file may be those of before.
func TestSwappedFolders(t *testing.T) {
	dir := t.TempDir()
	then := time.Unix(1_700_000_000, 0)
	version := func(name, text string) {
		folder := filepath.Join(dir, name)
		if err := os.Mkdir(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(folder, "key"), text)
		if err := os.Chtimes(filepath.Join(folder, "key"), then, then); err != nil {
			t.Fatal(err)
		}
		temporary := filepath.Join(dir, "..data_tmp")
		if err := errors.Join(os.Symlink(name, temporary), os.Rename(temporary, filepath.Join(dir, "..data"))); err != nil {
			t.Fatal(err)
		}
	}
	version("..1", "sk-1")
	if err := os.Symlink("..data/key", filepath.Join(dir, "key")); err != nil {
		t.Fatal(err)
	}
	reference := "file://" + filepath.Join(dir, "key")
	resolved(t, nil, func(t *testing.T, r *Resolver) {
		wantValue(t, r, reference, "sk-1")
		version("..2", "sk-2")
		remove(t, filepath.Join(dir, "..1"))
		looks(2)
		wantValue(t, r, reference, "sk-2")
	})
}

func TestWhatIsNoCredential(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for name, text := range map[string]string{"empty": " \r\n", "lines": "a\nb", "large": strings.Repeat("a", maxBytes+1), "nul": "a\x00b", "bom": "\ufeffsk-bom\r\n", "largest": strings.Repeat("a", maxBytes)} {
		put(t, at(name), text)
	}
	if err := errors.Join(syscall.Mkfifo(at("pipe"), 0o600), os.Mkdir(at("folder"), 0o700), os.Symlink(at("loop"), at("loop")),
		os.Symlink("/dev/zero", at("device")), os.Symlink(at("nowhere"), at("dangling"))); err != nil {
		t.Fatal(err)
	}
	resolved(t, os.LookupEnv, func(t *testing.T, r *Resolver) {
		began := time.Now()
		for name, why := range map[string]string{
			"empty": "the value is empty", "lines": "control characters", "nul": "control characters", "large": "not a regular file",
			"pipe": "not a regular file", "folder": "not a regular file", "device": "not a regular file", "loop": "too many levels",
			"dangling": "the file is not there", "empty/below": "not a directory",
		} {
			wantNone(t, r, "file://"+at(name), why)
		}
		for _, reference := range []string{"vault://x", "file://relative", "file:///", "", "env://"} {
			wantNone(t, r, reference, "")
		}
		wantValue(t, r, "file://"+at("bom"), "sk-bom")
		wantValue(t, r, "file://"+at("largest"), strings.Repeat("a", maxBytes))
		if waited := time.Since(began); waited > 0 {
			t.Errorf("it waited %v", waited)
		}
	})
}

// A value that was there stays, whatever comes in its place, as long as policy lets it.
func TestTheLastValueIsKeptForATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	reference := "file://" + path
	put(t, path, "kept")
	resolved(t, nil, func(t *testing.T, r *Resolver) {
		r.Prepare([]string{reference}, 10*time.Second)
		wantValue(t, r, reference, "kept")
		looks(20)
		wantValue(t, r, reference, "kept") // its age counts from when the source had it last
		remove(t, path)
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		looks(5)
		wantValue(t, r, reference, "kept")
		if s := r.Status(reference); s.Value.Reveal() != "kept" || s.Err == nil || time.Since(s.Since) < 4*time.Second {
			t.Errorf("status %+v", s)
		}
		looks(6)
		wantNone(t, r, reference, "older than the 10s")
		if s := r.Status(reference); s.Value.Reveal() != "" || s.Err == nil {
			t.Errorf("status %+v", s)
		}
		r.Prepare([]string{reference}, 0)
		looks(10_000)
		wantValue(t, r, reference, "kept")
		remove(t, path)
		put(t, path, "kept")
		looks(1)
		if s := r.Status(reference); s.Err != nil {
			t.Errorf("status %+v", s)
		}
	})
}

func TestVariables(t *testing.T) {
	variables := map[string]string{"A": "a", "EMPTY": " ", "LINES": "a\nb"}
	lookup := func(name string) (string, bool) { text, ok := variables[name]; return text, ok }
	resolved(t, lookup, func(t *testing.T, r *Resolver) {
		wantValue(t, r, "env://A", "a")
		wantNone(t, r, "env://B", "the variable is not set")
		wantNone(t, r, "env://EMPTY", "the value is empty")
		wantNone(t, r, "env://LINES", "control characters")
	})
}

// A source that hangs (a network file system does) costs one wait, and its own
// reference only.
func TestASourceThatHangs(t *testing.T) {
	var hang atomic.Pointer[chan struct{}]
	lookup := func(name string) (string, bool) {
		if name == "HANGS" {
			<-*hang.Load()
		}
		return "value of " + name, true
	}
	resolved(t, lookup, func(t *testing.T, r *Resolver) {
		hangs := func() chan struct{} { c := make(chan struct{}); hang.Store(&c); return c }
		answer := hangs()
		began := time.Now()
		wantNone(t, r, "env://HANGS", "does not answer within")
		if waited := time.Since(began); waited != patience {
			t.Errorf("waited %v, want %v", waited, patience)
		}
		began = time.Now()
		wantNone(t, r, "env://HANGS", "does not answer within")
		wantValue(t, r, "env://OTHER", "value of OTHER")
		if waited := time.Since(began); waited != 0 {
			t.Errorf("waited %v again", waited)
		}
		close(answer)
		synctest.Wait()
		wantValue(t, r, "env://HANGS", "value of HANGS")
		answer = hangs()
		looks(5)
		wantValue(t, r, "env://HANGS", "value of HANGS")
		if s := r.Status("env://HANGS"); !errors.Is(s.Err, errSlow) {
			t.Errorf("status %+v", s)
		}
		close(answer)
		synctest.Wait()
	})
}

// Nothing is looked at that the policy of now does not name.
func TestPrepareForgets(t *testing.T) {
	var a, b atomic.Int32
	lookup := func(name string) (string, bool) {
		map[string]*atomic.Int32{"A": &a, "B": &b}[name].Add(1)
		return "x", true
	}
	resolved(t, lookup, func(t *testing.T, r *Resolver) {
		r.Prepare([]string{"env://A"}, 0)
		synctest.Wait()
		r.Prepare([]string{"env://B"}, 0)
		synctest.Wait()
		before := a.Load()
		looks(5)
		if a.Load() != before || b.Load() < 5 {
			t.Errorf("%d looks at A, %d before it was forgotten; %d at B", a.Load(), before, b.Load())
		}
	})
}

// The log says what changed, once, and no value.
func TestWhatIsLogged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	reference := "file://" + path
	put(t, path, "canary-1")
	var log strings.Builder
	resolved(t, nil, func(t *testing.T, r *Resolver) {
		r.log = slog.New(slog.NewTextHandler(&log, nil))
		wantValue(t, r, reference, "canary-1")
		remove(t, path)
		looks(5)
		put(t, path, "canary-1")
		looks(5)
		put(t, path, "canary-2")
		looks(5)
	})
	said := log.String()
	for _, once := range []string{"the file is not there", "has it again"} {
		if strings.Count(said, once) != 1 {
			t.Errorf("%q is not said once:\n%s", once, said)
		}
	}
	if strings.Count(said, "a credential is read") != 2 || !strings.Contains(said, "kept=true") || strings.Contains(said, "canary") {
		t.Error(said)
	}
}

func TestResolveAllocatesNothing(t *testing.T) {
	t.Setenv("WEIR_SECRET_TEST", "value")
	r := NewResolver(slog.New(slog.DiscardHandler))
	if n := testing.AllocsPerRun(100, func() { _, _ = r.Resolve("env://WEIR_SECRET_TEST") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkResolve(b *testing.B) {
	path := filepath.Join(b.TempDir(), "key")
	if err := os.WriteFile(path, []byte("sk"), 0o600); err != nil {
		b.Fatal(err)
	}
	r := NewResolver(slog.New(slog.DiscardHandler))
	reference := "file://" + path
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Resolve(reference); err != nil {
			b.Fatal(err)
		}
	}
}

// Root may read everything, so that no file shows it here.
func TestWhyAFileCantBeRead(t *testing.T) {
	for err, want := range map[error]string{
		&os.PathError{Op: "open", Path: "/p", Err: syscall.EACCES}: "the agent may not read the file",
		&os.PathError{Op: "open", Path: "/p", Err: syscall.ENOENT}: "the file is not there",
		&os.PathError{Op: "read", Path: "/p", Err: syscall.EIO}:    "input/output error",
	} {
		if got := reason(err).Error(); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}

package fetch

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// commands puts scripts in front of the PATH, by name, and takes JAVA_HOME away.
func commands(t *testing.T, scripts map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, script := range scripts {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script), 0o755))
	}
	t.Setenv("JAVA_HOME", "")
	t.Setenv("PATH", dir+":/usr/bin:/bin")
}

const (
	java21 = `echo 'openjdk version "21.0.2" 2024-01-16' >&2`
	java8  = `echo 'java version "1.8.0_401"' >&2`
)

func TestKafka_says_what_is_missing(t *testing.T) {
	for name, c := range map[string]struct {
		scripts map[string]string
		want    []string
	}{
		"an_old_java":         {map[string]string{"java": java8}, []string{"is Java 8", "Java 17 or newer: install it"}},
		"a_broken_java":       {map[string]string{"java": "echo no libjvm.so >&2; exit 1"}, []string{"does not run", "no libjvm.so"}},
		"maven_fails":         {map[string]string{"java": java21, "mvn": "echo '[ERROR] Could not resolve x'; echo '[ERROR] more'; exit 1"}, []string{"Could not resolve x;", "nothing half-done was kept"}},
		"another_jar":         {map[string]string{"java": java21, "mvn": "mkdir lib; echo bad > lib/kafka_2.13-4.3.0.jar"}, []string{"kafka_2.13-4.3.0.jar that Maven fetched is not the one"}},
		"a_jar_not_asked_for": {map[string]string{"java": java21, "mvn": "mkdir lib; echo bad > lib/other.jar"}, []string{"other.jar that Maven fetched is not the one"}},
		"no_jars":             {map[string]string{"java": java21, "mvn": "mkdir lib"}, []string{"maven fetched no "}},
	} {
		t.Run(name, func(t *testing.T) {
			commands(t, c.scripts)
			cache := t.TempDir()
			_, err := Kafka(t.Context(), cache, io.Discard)
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("want %q in: %v", want, err)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(cache, "maven*")); len(left) != 0 {
				t.Errorf("%v was left", left)
			}
		})
	}
	t.Run("no_java", func(t *testing.T) {
		t.Setenv("JAVA_HOME", "")
		t.Setenv("PATH", t.TempDir())
		if _, err := Kafka(t.Context(), t.TempDir(), io.Discard); err == nil || !strings.Contains(err.Error(), "no java in the PATH") || !strings.Contains(err.Error(), "openjdk-17") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no_maven", func(t *testing.T) {
		commands(t, map[string]string{"java": java21})
		t.Setenv("JAVA_HOME", filepath.Join(t.TempDir(), "jdk"))
		must(t, os.MkdirAll(filepath.Join(os.Getenv("JAVA_HOME"), "bin"), 0o755))
		must(t, os.WriteFile(filepath.Join(os.Getenv("JAVA_HOME"), "bin", "java"), []byte("#!/bin/sh\n"+java21), 0o755))
		t.Setenv("PATH", t.TempDir())
		if _, err := Kafka(t.Context(), t.TempDir(), io.Discard); err == nil || !strings.Contains(err.Error(), "the package maven") {
			t.Errorf("got %v", err)
		}
	})
}

func TestVerify(t *testing.T) {
	dir, sum := t.TempDir(), sha256.Sum256([]byte("right"))
	must(t, os.WriteFile(filepath.Join(dir, "a.jar"), []byte("right"), 0o644))
	if err := verify(dir, hex.EncodeToString(sum[:])+"  a.jar\n"); err != nil {
		t.Error(err)
	}
}

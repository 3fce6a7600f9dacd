package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/weirhq/weir/deploy/local/process"
)

//go:embed maven/pom.xml
var pom string

//go:embed maven/sha256sums
var kafkaSums string

const (
	kafkaBytes     = 150 << 20 // its jars, and what Maven's own repository keeps
	copyDependency = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
)

// ApacheKafka is the broker's jars and the Java that runs them.
type ApacheKafka struct {
	Java string
	Jars string // folder
}

// Kafka returns Apache Kafka in the cache folder, which Maven fetches there if need be, by the settings that Maven
// has on this machine. What came is compared with checksums of ours.
func Kafka(ctx context.Context, cache string, progress io.Writer) (ApacheKafka, error) {
	java, err := java(ctx)
	if err != nil {
		return ApacheKafka{}, err
	}
	sum := sha256.Sum256([]byte(pom + kafkaSums))
	jars := set{name: "maven", version: hex.EncodeToString(sum[:]), needs: kafkaBytes, install: mavenInstall}
	if err := jars.ensure(ctx, cache, progress); err != nil {
		return ApacheKafka{}, err
	}
	return ApacheKafka{Java: java, Jars: filepath.Join(cache, "maven", "lib")}, nil
}

func mavenInstall(ctx context.Context, dir string, progress io.Writer) error {
	maven, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New("mvn is not on the PATH: install Maven 3.6 or newer (on Debian and Ubuntu the package maven), it fetches Apache Kafka")
	}
	if err := os.WriteFile(filepath.Join(dir, "pom.xml"), []byte(pom), 0o644); err != nil {
		return fmt.Errorf("write Maven's project: %w", err)
	}
	fmt.Fprintln(progress, "engines: fetching Apache Kafka 4.3.0 by Maven (44 MB, once)")
	cmd := exec.CommandContext(ctx, maven, "--batch-mode", "--no-transfer-progress", "--quiet", copyDependency,
		"-DoutputDirectory=lib", "-DincludeScope=runtime")
	cmd.Dir = dir
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := process.Run(cmd); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("fetch Apache Kafka: %w", ctx.Err())
		}
		return fmt.Errorf("fetch Apache Kafka: %w: %s; nothing half-done was kept, run the same command again", err, mavenReason(output.String()))
	}
	return verify(filepath.Join(dir, "lib"), kafkaSums)
}

// mavenReason is the first error that Maven told.
func mavenReason(output string) string {
	for line := range strings.Lines(output) {
		if text, ok := strings.CutPrefix(strings.TrimSpace(line), "[ERROR] "); ok {
			return text
		}
	}
	return "Maven said nothing"
}

// verify compares a folder with checksums as sha256sum writes them: nothing else is in it, and nothing is missing.
func verify(dir, sums string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("look at what Maven fetched: %w", err)
	}
	want := map[string]string{}
	for line := range strings.Lines(sums) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		want[name] = sum
	}
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return fmt.Errorf("look at what Maven fetched: %w", err)
		}
		if got := sha256.Sum256(content); want[e.Name()] != hex.EncodeToString(got[:]) {
			return fmt.Errorf("%s that Maven fetched is not the one that maven/sha256sums names: remove it from Maven's own repository and run again", e.Name())
		}
		delete(want, e.Name())
	}
	for name := range want {
		return fmt.Errorf("maven fetched no %s", name)
	}
	return nil
}

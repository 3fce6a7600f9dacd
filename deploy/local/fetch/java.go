package fetch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// oldestJava is what Apache Kafka 4 runs on.
const oldestJava = 17

// javaVersion is in what `java -version` says: 17.0.15, 21, and 1.8.0 for Java 8.
var javaVersion = regexp.MustCompile(`version "(?:1\.)?(\d+)`)

// java finds a Java that is new enough: $JAVA_HOME's, or else the PATH's.
func java(ctx context.Context) (path string, err error) {
	path, where := filepath.Join(os.Getenv("JAVA_HOME"), "bin", "java"), "$JAVA_HOME"
	if os.Getenv("JAVA_HOME") == "" {
		where = "the PATH"
		path, err = exec.LookPath("java")
	}
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		return "", fmt.Errorf("no java in %s: %w", where, errNeedsJava)
	}
	said, err := exec.CommandContext(ctx, path, "-version").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s does not run (%w): %s", path, err, bytes.TrimSpace(said))
	}
	found := javaVersion.FindSubmatch(said)
	if found == nil {
		return "", fmt.Errorf("%s does not tell its version: %s", path, bytes.TrimSpace(said))
	}
	if major, _ := strconv.Atoi(string(found[1])); major < oldestJava {
		return "", fmt.Errorf("%s is Java %d: %w", path, major, errNeedsJava)
	}
	return path, nil
}

var errNeedsJava = errors.New("tests on Apache Kafka need Java 17 or newer: install it (on Debian and Ubuntu the package openjdk-17-jre-headless) " +
	"or say where it is in JAVA_HOME")

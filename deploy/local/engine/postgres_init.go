package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/weirhq/weir/deploy/local/fetch"
	"github.com/weirhq/weir/deploy/local/file"
	"github.com/weirhq/weir/deploy/local/process"
)

const postgresMajor = "18"

// initPostgres makes dir/data unless it is there and returns the superuser's password. initdb works in another
// folder that is renamed when it is whole, so that killing it leaves nothing to mistake for a database.
func initPostgres(ctx context.Context, e fetch.Installation, dir string, owner *process.User) (string, error) {
	data, secret := filepath.Join(dir, "data"), filepath.Join(dir, "password")
	_, err := os.Stat(data)
	if err == nil {
		return checkPostgres(data, secret)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("postgres data folder: %w", err)
	}
	password, err := file.Secret(secret)
	if err != nil {
		return "", err
	}
	partial := data + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return "", fmt.Errorf("clear an unfinished postgres data folder: %w", err)
	}
	if err := runInitdb(ctx, e, partial, password, owner); err != nil {
		return "", err
	}
	if err := os.Rename(partial, data); err != nil {
		return "", fmt.Errorf("postgres data folder: %w", err)
	}
	return password, nil
}

// checkPostgres refuses a folder that this version can't open instead of starting over with an empty one.
func checkPostgres(data, secret string) (string, error) {
	version, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err != nil {
		return "", fmt.Errorf("%s is there but holds no PostgreSQL database (%w): restore it, or `make clean-local` to begin anew", data, err)
	}
	if got := strings.TrimSpace(string(version)); got != postgresMajor {
		return "", fmt.Errorf("%s was made by PostgreSQL %q, this is %s: restore it, or `make clean-local` to begin anew", data, got, postgresMajor)
	}
	password, err := os.ReadFile(secret)
	if err != nil {
		return "", fmt.Errorf("the password of %s is lost (%w): restore it, or `make clean-local` to begin anew", data, err)
	}
	return strings.TrimSpace(string(password)), nil
}

func runInitdb(ctx context.Context, e fetch.Installation, data, password string, owner *process.User) error {
	if err := os.Mkdir(data, 0o700); err != nil {
		return fmt.Errorf("postgres data folder: %w", err)
	}
	input, err := passwordPipe(password)
	if err != nil {
		return err
	}
	defer input.Close()
	cmd := exec.CommandContext(ctx, filepath.Join(e.Postgres, "bin", "initdb"), "-D", data, "-U", "postgres", "--pwfile=/dev/fd/3",
		"--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
	cmd.Env, cmd.ExtraFiles = postgresEnv(e), []*os.File{input}
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if err := giveTo(owner, data, input); err != nil {
		return err
	}
	owner.Apply(cmd)
	var output strings.Builder
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := process.Run(cmd); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, strings.TrimSpace(output.String()))
	}
	return nil
}

// passwordPipe keeps the password out of arguments, environment and further files.
func passwordPipe(password string) (*os.File, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("initdb: %w", err)
	}
	defer write.Close()
	if _, err := write.WriteString(password + "\n"); err != nil {
		read.Close()
		return nil, fmt.Errorf("initdb: %w", err)
	}
	return read, nil
}

func giveTo(owner *process.User, data string, input *os.File) error {
	if owner == nil {
		return nil
	}
	uid, gid := int(owner.UID), int(owner.GID)
	if err := errors.Join(os.Chown(data, uid, gid), input.Chown(uid, gid)); err != nil {
		return fmt.Errorf("give the postgres data folder to uid %d: %w", uid, err)
	}
	return nil
}

package backup

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/weirhq/weir/controlplane/internal/postgres"
)

// Save writes a backup to a new file, mode 0600. The file has its name only when
// all of it is on disk; a process that is killed leaves path + ".partial", which
// is no backup.
func Save(ctx context.Context, db *postgres.DB, schema uint, path string) (Manifest, error) {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return Manifest{}, fmt.Errorf("%s is there already; a backup replaces nothing", path)
	}
	partial := path + ".partial"
	file, err := os.OpenFile(partial, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return Manifest{}, fmt.Errorf("back up: %w", err)
	}
	m, err := Write(ctx, db, schema, file)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return Manifest{}, errors.Join(err, os.Remove(partial))
	}
	if err := os.Rename(partial, path); err != nil {
		return Manifest{}, fmt.Errorf("name the backup: %w", err)
	}
	return m, syncFolder(filepath.Dir(path))
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync folder of the backup: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("sync folder of the backup: %w", err)
	}
	return nil
}

// Archive is a backup that was read as a whole once and is what its manifest says.
type Archive struct {
	Manifest
	zip *zip.ReadCloser
}

// Open reads and checks a backup.
func Open(path string) (*Archive, error) {
	file, err := zip.OpenReader(path)
	if errors.Is(err, zip.ErrFormat) {
		return nil, fmt.Errorf("%s is not a whole backup: it has no end; was the backup interrupted, or the copy?", path)
	}
	if err != nil {
		return nil, fmt.Errorf("open backup: %w", err)
	}
	a := &Archive{zip: file}
	if err := a.check(); err != nil {
		return nil, errors.Join(fmt.Errorf("backup %s: %w", path, err), file.Close())
	}
	return a, nil
}

// Close closes the file.
func (a *Archive) Close() error { return a.zip.Close() }

func (a *Archive) check() error {
	manifest, err := a.zip.Open(manifestName)
	if err != nil {
		return fmt.Errorf("no %s: this is not a backup of Weir", manifestName)
	}
	defer manifest.Close()
	if err := json.NewDecoder(manifest).Decode(&a.Manifest); err != nil {
		return fmt.Errorf("read %s: %w", manifestName, err)
	}
	if a.Format != Format {
		return fmt.Errorf("it is of format %d and this build reads format %d", a.Format, Format)
	}
	for _, t := range a.Tables {
		if err := a.checkTable(t); err != nil {
			return fmt.Errorf("table %s is damaged: %w", t.Name, err)
		}
	}
	return nil
}

func (a *Archive) checkTable(t Table) error {
	file, err := a.zip.Open(t.entry())
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != t.SHA256 {
		return fmt.Errorf("its sum is %s and the manifest says %s", got, t.SHA256)
	}
	return nil
}

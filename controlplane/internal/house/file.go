package house

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
)

const (
	// keySize is AES-256's, in bytes. A file is one key after the other.
	keySize = 32
	maxKeys = 16
	// tooOpen: others must not see the file, and the group must not write it. It may
	// read it, as it does what orchestrators mount.
	tooOpen = 0o027
)

// Load reads the keys in path: 32 bytes each, newest first. Where there is no such
// file it makes one with one key, mode 0600, and says so: without it every wrapped
// secret is lost.
func Load(path string, log *slog.Logger) (*Keys, error) {
	keys, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(path); err != nil {
			return nil, err
		}
		log.Warn("made a new house key; back it up, wrapped secrets are lost without it", "path", path)
		keys, err = read(path)
	}
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&tooOpen != 0 {
		log.Warn("other users can get at the house key; chmod 600", "path", path, "mode", info.Mode().Perm().String())
	}
	return &Keys{path: path, log: log, keys: keys}, nil
}

// Open is Load for commands that look at what is there: it makes no file.
func Open(path string, log *slog.Logger) (*Keys, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("house key file: %w", err)
	}
	return Load(path, log)
}

func read(path string) ([]key, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read house key: %w", err)
	}
	if n := len(content); n == 0 || n%keySize != 0 || n > maxKeys*keySize {
		return nil, fmt.Errorf("house key file %s: %d bytes, want %d for each key, at most %d keys", path, n, keySize, maxKeys)
	}
	var keys []key
	for secret := range slices.Chunk(content, keySize) {
		made, err := newKey(secret)
		if err != nil {
			return nil, err
		}
		keys = append(keys, made)
	}
	return keys, nil
}

// Add makes a new key the newest of the file. Nothing is wrapped under it yet.
func (k *Keys) Add() (id string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reload()
	if len(k.keys) == maxKeys {
		return "", fmt.Errorf("house key file %s has %d keys already; drop one that wraps nothing", k.path, maxKeys)
	}
	secret := make([]byte, keySize)
	rand.Read(secret) // never fails
	made, err := newKey(secret)
	if err != nil {
		return "", err
	}
	return made.id, k.replace(append([]key{made}, k.keys...))
}

// Drop removes a key from the file; what it wraps is lost. Ask before what that is.
func (k *Keys) Drop(id string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.reload()
	if _, ok := k.find(id); !ok {
		return fmt.Errorf("house key file %s has no key %s, only %s", k.path, id, k.list())
	}
	if k.keys[0].id == id {
		return fmt.Errorf("house key %s is the newest of %s: it wraps what is made next; add another first", id, k.path)
	}
	return k.replace(slices.DeleteFunc(slices.Clone(k.keys), func(key key) bool { return key.id == id }))
}

func (k *Keys) replace(keys []key) error {
	var content []byte
	for _, key := range keys {
		content = append(content, key.secret...)
	}
	if err := write(k.path, content, os.Rename); err != nil {
		return err
	}
	k.keys = keys
	return nil
}

// create leaves a file that another process made first as it is.
func create(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make folder of house key: %w", err)
	}
	secret := make([]byte, keySize)
	rand.Read(secret) // never fails
	err := write(path, secret, os.Link)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	return err
}

// write names a whole, synced file of mode 0600.
func write(path string, content []byte, name func(from, to string) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".house-key-*") // mode 0600
	if err != nil {
		return fmt.Errorf("make house key: %w", err)
	}
	defer os.Remove(file.Name())
	_, err = file.Write(content)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("write house key: %w", err)
	}
	if err := name(file.Name(), path); err != nil {
		return fmt.Errorf("name house key: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes names last through a power loss, as Postgres does with what the
// key will wrap.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync folder of house key: %w", err)
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil {
		return fmt.Errorf("sync folder of house key: %w", err)
	}
	return nil
}

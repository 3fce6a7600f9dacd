package snapshot

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"

	"github.com/weirhq/weir/proto/contract/seal"
)

// defaultOrigins are what an agent may reach with no configuration.
var defaultOrigins = []string{"https://api.openai.com", "https://api.anthropic.com"}

// Default references: what an agent may use there.
const (
	defaultReference = "env://WEIR_SECRET_*"
	defaultFolder    = "file:///etc/weir/secrets/"
	// sealedReference stands for a credential that the policy itself carries, sealed.
	sealedReference = "sealed"
)

// Origins is the agent's own allow-list: where it may send requests, and which
// credential references it may use there. It comes from local configuration,
// never from policy. The zero value allows nothing.
type Origins struct {
	references map[string][]string // origin → patterns
}

// DefaultOrigins allows the public hosts of known providers with the references
// env://WEIR_SECRET_* and file:///etc/weir/secrets/, and with sealed credentials.
func DefaultOrigins() Origins {
	o := Origins{references: map[string][]string{}}
	for _, origin := range defaultOrigins {
		o.references[origin] = []string{defaultReference, defaultFolder, sealedReference}
	}
	return o
}

// ParseOrigins reads an allow-list. An entry is an origin, optionally with the
// references it may use:
//
//	https://api.openai.com
//	http://127.0.0.1:8093=env://WEIR_SECRET_MOCK,file:///run/secrets/,sealed
//	default
//
// Without references an entry gets the default ones. "default" stands for
// DefaultOrigins; no entries at all mean the same. A pattern ending in * fits
// what begins with the rest, one ending in / the files below that folder; "sealed"
// fits sealed credentials. All faults are returned at once.
func ParseOrigins(entries []string) (Origins, error) {
	if len(entries) == 0 {
		return DefaultOrigins(), nil
	}
	o := Origins{references: map[string][]string{}}
	var faults []error
	for _, entry := range entries {
		if err := o.add(strings.TrimSpace(entry)); err != nil {
			faults = append(faults, fmt.Errorf("upstream origin %q: %w", entry, err))
		}
	}
	return o, errors.Join(faults...)
}

func (o Origins) add(entry string) error {
	if entry == "default" {
		for origin, references := range DefaultOrigins().references {
			o.references[origin] = append(o.references[origin], references...)
		}
		return nil
	}
	address, list, stated := strings.Cut(entry, "=")
	u, err := url.Parse(address)
	if err != nil {
		return errors.New("not a URL")
	}
	origin, err := seal.Origin(u)
	if err != nil {
		return err
	}
	if u.Path != "" && u.Path != "/" {
		return errors.New("an origin is scheme://host:port, without a path")
	}
	patterns := []string{defaultReference, defaultFolder, sealedReference}
	if stated {
		patterns = strings.Split(list, ",")
	}
	for _, pattern := range patterns {
		if err := validPattern(pattern); err != nil {
			return err
		}
	}
	o.references[origin] = append(o.references[origin], patterns...)
	return nil
}

func validPattern(pattern string) error {
	name, isEnv := strings.CutPrefix(pattern, "env://")
	file, isFile := strings.CutPrefix(pattern, "file://")
	switch {
	case pattern == sealedReference:
		return nil
	case isEnv && name != "" && !strings.Contains(strings.TrimSuffix(name, "*"), "*"):
		return nil
	case isFile && strings.HasPrefix(file, "/") && !strings.Contains(file, "*"):
		return nil
	}
	return fmt.Errorf("reference %q is not env://NAME, env://PREFIX_*, file:///path, file:///folder/ or sealed", pattern)
}

// refusal says why a provider may not be used from here; empty: it may. One without
// a reference has no credential to misuse.
func (o Origins) refusal(u *url.URL, reference string) string {
	origin, err := seal.Origin(u)
	if err != nil {
		return err.Error()
	}
	patterns, ok := o.references[origin]
	if !ok {
		return "origin " + origin + " is not in this agent's list of upstream origins"
	}
	for _, pattern := range patterns {
		if reference == "" || fits(pattern, reference) {
			return ""
		}
	}
	return "credential reference " + reference + " may not be used for " + origin + " by this agent"
}

func fits(pattern, reference string) bool {
	if file, ok := strings.CutPrefix(reference, "file://"); ok {
		if path.Clean(file) != file {
			return false
		}
		return reference == pattern || strings.HasSuffix(pattern, "/") && strings.HasPrefix(reference, pattern)
	}
	prefix, open := strings.CutSuffix(pattern, "*")
	return reference == pattern || open && strings.HasPrefix(reference, prefix)
}

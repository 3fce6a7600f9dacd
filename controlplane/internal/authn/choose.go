package authn

import (
	"crypto/sha256"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
)

const (
	choiceCookie   = "weir_choice"
	choiceLifespan = 5 * time.Minute
	maxChoiceForm  = 1 << 10
)

// choice is a person between the provider and one of several organizations, kept in a sealed cookie.
type choice struct {
	Issuer, Subject, ReturnTo string
	// Nonce makes it good once.
	Nonce     string
	ExpiresAt time.Time
}

// offer asks a person who belongs to several organizations for one.
func (l *Login) offer(w http.ResponseWriter, r *http.Request, c choice, memberships []Membership) {
	c.Nonce, c.ExpiresAt = newSessionSecret(), l.config.Now().Add(choiceLifespan)
	sealed, err := l.choices.seal(c)
	if err != nil {
		l.refuse(w, r, ourFault, err)
		return
	}
	l.setCookie(w, choiceCookie, sealed, choiceLifespan)
	l.show(w, http.StatusOK, page{
		Title: "Which organization?", Message: "Your account belongs to several. Log in again to change.", Choices: memberships,
	})
}

// choose starts a session in the organization that was chosen. What the person belongs to is asked again: it may have
// ended meanwhile, and the form is the browser's.
func (l *Login) choose(w http.ResponseWriter, r *http.Request) {
	if err := SameOrigin(r.Header, l.config.PublicURL); err != nil {
		l.refuse(w, r, attemptLost, err)
		return
	}
	c, err := l.chosen(r)
	if err == nil {
		err = l.config.Sessions.Spend(r.Context(), sha256.Sum256([]byte(c.Nonce)), c.ExpiresAt)
	}
	if errors.Is(err, errNoChoice) || errors.Is(err, ErrSpent) {
		l.refuse(w, r, attemptLost, err)
		return
	}
	if err != nil {
		l.refuse(w, r, ourFault, err)
		return
	}
	l.setCookie(w, choiceCookie, "", 0)
	memberships, err := l.config.Members.Memberships(r.Context(), Person{Issuer: c.Issuer, Subject: c.Subject})
	if err != nil {
		l.refuse(w, r, ourFault, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxChoiceForm)
	wanted, err := uuid.Parse(r.PostFormValue("organization"))
	i := slices.IndexFunc(memberships, func(m Membership) bool { return m.Principal.OrganizationID == wanted })
	if err != nil || i < 0 {
		l.refuse(w, r, notMember, errors.New("the organization that was chosen does not have this person"))
		return
	}
	l.enter(w, r, memberships[i].Principal, c.ReturnTo)
}

var errNoChoice = errors.New("there is no choice to be made")

func (l *Login) chosen(r *http.Request) (choice, error) {
	cookie, err := r.Cookie(cookieName(choiceCookie, l.config.PublicURL))
	if err != nil {
		return choice{}, errNoChoice
	}
	var c choice
	if l.choices.open(cookie.Value, &c) != nil || !l.config.Now().Before(c.ExpiresAt) {
		return choice{}, errNoChoice
	}
	return c, nil
}

// Passkeys. Without this script, or in a browser that has none, their forms stay hidden and the pages say so.
const { browserSupportsWebAuthn, browserSupportsWebAuthnAutofill, startAuthentication, startRegistration } =
  SimpleWebAuthnBrowser;

for (const form of document.querySelectorAll('form[data-request], form[data-creation]')) {
  const { request, creation, autofill } = form.dataset;
  const optionsJSON = JSON.parse(request ?? creation);
  const alert = form.querySelector('[role=alert]');
  const send = (response) => {
    // What the person ticked beside another way holds for this one.
    for (const { form: other, name, value } of document.querySelectorAll('input[type=checkbox]:checked'))
      if (other !== form) {
        const field = document.createElement('input');
        form.append(Object.assign(field, { type: 'hidden', name, value }));
      }
    form.elements.response.value = JSON.stringify(response);
    form.submit();
  };
  const offer = async () => {
    if (autofill !== undefined && (await browserSupportsWebAuthnAutofill()))
      startAuthentication({ optionsJSON, useBrowserAutofill: true }).then(send, () => {});
  };
  const say = ({ name }) => {
    const { cancelled, there, failed } = alert.dataset;
    const words = { NotAllowedError: cancelled, AbortError: cancelled, InvalidStateError: there };
    alert.textContent = words[name] ?? failed;
    alert.hidden = false;
    offer();
  };
  if (browserSupportsWebAuthn()) {
    form.hidden = false;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      alert.hidden = true;
      const start = creation === undefined ? startAuthentication : startRegistration;
      start({ optionsJSON }).then(send, say);
    });
    offer();
  } else form.nextElementSibling.hidden = false;
}

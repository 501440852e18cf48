// "Show password". Without this script its buttons stay hidden, and the pages work as they are.
for (const button of document.querySelectorAll('button[data-hide]')) {
  const field = document.getElementById(button.getAttribute('aria-controls'));
  const word = button.firstElementChild;
  const words = { password: word.textContent, text: button.dataset.hide };
  const turn = (type) => {
    field.type = type;
    word.textContent = words[type];
  };
  button.hidden = false;
  button.addEventListener('click', () => turn(field.type === 'password' ? 'text' : 'password'));
  // Browsers remember what was typed into a text field.
  field.form.addEventListener('submit', () => turn('password'));
}

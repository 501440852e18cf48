// Without this script the page's button sends its form.
document.forms[0].submit();

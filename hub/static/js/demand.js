// 查进度: a link or picture brings the code behind the #, which no server sees; it goes into the field and out of the bar.
(function () {
  const code = decodeURIComponent(window.location.hash.slice(1));
  const field = document.getElementById("f-query_code");
  if (!code || !field || !/^[0-9A-Za-z-]{13,20}$/.test(code)) return;
  field.value = code;
  window.history.replaceState(null, "", window.location.pathname);
})();

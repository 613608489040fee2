# load.sh: files of data as tables.  To be sourced; $folder has the files, sql() runs psql.

# columns FILE KIND: what makes a table of FILE, or the names of its features
columns() {
  zcat "$1" | sed -n '1 s/,/\n/gp' | while read -r column; do
    case $2,$column in
      table,label) echo "label int" ;;
      table,user_hist | table,item_attributes | table,user_last_items | table,item_words) echo "$column text[]" ;;
      table,*) echo "$column text" ;;
      features,label | features,timestamp | features,seq_pos | features,split*) ;;
      features,*) echo "$column" ;;
    esac
  done | paste -sd ,
}

# raw_table NAME FILE: the columns of FILE as table NAME, with row_number
raw_table() {
  sql -c "CREATE UNLOGGED TABLE $1 (row_number int GENERATED ALWAYS AS IDENTITY, $(columns "$folder/$2" table))"
  zcat "$folder/$2" |
    sql -c "COPY $1 ($(columns "$folder/$2" table | sed -E 's/ (int|text|text\[\])(,|$)/\2/g')) FROM STDIN (FORMAT csv, HEADER)"
}
